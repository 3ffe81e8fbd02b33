cdef class Backlog:
    cdef readonly long long unsent_max
    cdef public long long unsent
