from squall.delivery.acks cimport AckWindow, Unacknowledged
from squall.engine.talking cimport TalkingSession
from squall.engine.tally cimport MessageTally


cdef class AckTerms:
    cdef readonly object retries
    cdef readonly Py_ssize_t room
    cdef readonly bint by_receiver
    cdef public bint recognised
    cdef bint complained
    cdef dict strangers


cdef class AckingSession(TalkingSession):
    cdef readonly AckTerms terms
    cdef readonly AckWindow window
    cdef readonly long long schedule_ns
    cdef long long can_send_ns
    cdef bint crossed
    cdef bint in_turn

    cdef long long _next_due(self, long long now)
    cdef int _ask_sooner(self, long long now)
    cdef int _serve_window(self, long long now)
    cdef int _window_has_room(self, long long now)
    cdef int _enter_ack(
        self, long long sequence, Py_ssize_t type_index, int attempt, long long intended, long long now
    )
    cdef int _count_acknowledged(self, MessageTally tally, Unacknowledged message, int attempt, long long now)
