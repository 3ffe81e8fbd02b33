from squall.engine.session cimport Session


cdef class Pacer:
    cdef readonly long long window_ns
    cdef readonly long long start_ns
    cdef object arm
    cdef object failed
    cdef list slots
    cdef readonly long long waiting
    cdef readonly long long reached
    cdef readonly long long woken_ns
    cdef readonly long long armed_ns

    cdef int _place(self, Session session, long long due)
    cpdef int _tick(self, long long now)
    cdef int _serve(self, Py_ssize_t index, long long now)
    cdef long long _next_wake(self, long long now)
