cdef class Stream:
    cdef readonly Py_ssize_t window
    cdef readonly long long next_sequence
    cdef readonly long long expected
    cdef readonly long long arrived
    cdef readonly long long segment_first
    cdef readonly long long evicted_below
    cdef readonly int epoch
    cdef readonly long long epoch_first
    cdef readonly int label
    cdef readonly long long extent
    cdef readonly long long late_ns
    cdef list segments
    cdef object missing
    cdef object revealed_at
    cdef object revealed_ns
    cdef list evicted
    cdef list missed
    cdef long long told_from
    cdef public bint orders
    cdef bint holding
    cdef readonly long long duplicated
    cdef readonly long long reordered
    cdef long long settled_below
    cdef long long came_below
    cdef object held
    cdef object held_ns
    cdef object forgotten
    cdef readonly list waits
    cdef readonly list unmeasured
    cdef list tail
    cdef list gaps
    cpdef long long assign(self)
    cpdef int arrive(self, long long sequence, long long now_ns)
    cpdef long long outstanding(self)
    cpdef long long awaited(self)
    cpdef bint is_missing(self, long long sequence)
    cpdef bint has_come(self, long long sequence)
    cpdef int label_of(self, long long sequence)
    cpdef int epoch_of(self, long long sequence)
