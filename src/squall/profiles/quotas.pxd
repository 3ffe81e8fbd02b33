cdef class QuotaPlan:
    cdef readonly long long messages_per_session
    cdef readonly tuple quotas
    cdef long long[::1] until
    cdef unsigned long long[::1] round_seeds
    cdef int low_bits
    cdef int high_bits

    cpdef Py_ssize_t type_of(self, unsigned long long stream, long long sequence)
    cpdef Py_ssize_t type_of_not_sent(self, unsigned long long stream, long long number)
    cdef Py_ssize_t _type_at(self, unsigned long long stream, long long position)
    cdef long long _permuted(self, unsigned long long stream, long long place) noexcept
