from squall.delivery.fanout cimport Account, Member
from squall.engine.send_times cimport SendTimes
from squall.engine.session cimport Session
from squall.engine.talking cimport TalkingSession
from squall.engine.tally cimport MessageTally, Tallies


cdef class Pair(Account):
    cdef readonly SendTimes times
    cdef Tallies tallies
    cdef long long latest_intended


cdef class RoomSession(TalkingSession):
    cdef readonly object room
    cdef dict sessions
    cdef readonly Member member
    cdef double answers
    cdef unsigned long long answer_seed
    cdef long long read_stream
    cdef long long read_sequence
    cdef object waiting
    cdef long long came_ns
    cdef long long slowest_ns

    cpdef bint owes_nothing(self)
    cdef int _transmit(self, Tallies tallies, long long intended, long long seen)
    cdef int _count_sent(
        self, Tallies tallies, MessageTally tally, long long sequence, long long intended, long long seen, long long sent
    )
    cdef bint _is_mine(self)
    cdef int _hear_other(self, long long now)
    cdef RoomSession _publisher(self)
    cdef bint _is_history(self, RoomSession publisher)
    cdef int _hear_owed(self, Pair pair, long long place, long long now)
    cdef Tallies _tallies_of(self, Pair pair, long long place, long long now)
    cdef int _judge_causality(self, Pair pair, long long place, MessageTally tally)
