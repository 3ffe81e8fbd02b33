from squall.engine.talking cimport TalkingSession
from squall.engine.tally cimport MessageTally


cdef class AckedPushSession(TalkingSession):
    cdef public bint acknowledges
    cdef readonly bint deduplicates
    cdef dict unanswered

    cdef int _enter_push_back(self, long long now)
    cdef bint _acknowledge(self, long long now)
    cdef bint _is_unanswered(self, long long sequence)
