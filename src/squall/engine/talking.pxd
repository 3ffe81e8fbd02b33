from squall.engine.send_times cimport SendTimes
from squall.engine.session cimport Session


cdef class TalkingSession(Session):
    cdef readonly object talk
    cdef readonly object script
    cdef readonly object opening
    cdef SendTimes intended

    cdef bint _is_from_before(self, long long sequence)
