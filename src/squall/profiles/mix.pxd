from squall.profiles.quotas cimport QuotaPlan


cdef class Shares:
    cdef readonly Py_ssize_t count
    cdef unsigned long long seed
    cdef unsigned long long[::1] bounds

    cpdef Py_ssize_t choose(self, unsigned long long stream, unsigned long long number)


cdef class MessageMix:
    cdef readonly Py_ssize_t types
    cdef readonly long long messages_per_session
    cdef readonly Shares sent_types
    cdef readonly Shares not_sent_types
    cdef readonly Shares sizes
    cdef QuotaPlan quotas

    cpdef Py_ssize_t type_of(self, unsigned long long stream, unsigned long long sequence)
    cpdef Py_ssize_t type_of_not_sent(self, unsigned long long stream, unsigned long long nth)
    cpdef Py_ssize_t size_index_of(self, unsigned long long stream, unsigned long long sequence)
