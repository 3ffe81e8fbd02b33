cdef class Window:
    cdef readonly int phase
    cdef readonly long long index
    cdef public long long start_ns
    cdef public long long until_ns
    cdef public long long deadline_ns
    cdef readonly long long spike_ns
    cdef public long long held
    cdef public long long joined
    cdef public long long drops
    cdef public long long sent
    cdef public long long delivered
    cdef readonly set spiked
    cdef long long spiked_told


cdef class CheckWindows:
    cdef readonly long long drain_timeout_ns
    cdef list phases
    cdef dict open
    cdef Window begun
    cdef Window latest

    cpdef void sent_at(self, long long due_ns)
    cpdef void delivered_at(self, long long due_ns, long long now, long long connection)
    cdef Window _of(self, long long at_ns)
    cpdef Window find(self, long long at_ns)
