cimport cython

cdef extern from *:
    int leading_zeros "__builtin_clzll" (unsigned long long value) noexcept nogil

@cython.final
cdef class Histogram:
    cdef readonly long long count
    cdef readonly long long sum_ns
    cdef readonly long long min_ns
    cdef readonly long long max_ns
    cdef long long[::1] _counts

    cpdef void record(self, long long value_ns) noexcept
    cdef void _clear(self) noexcept

cpdef bytes encode(long long[::1] counts)
cdef void _decode(bytes buckets, long long[::1] counts) except *
cdef Py_ssize_t _past_number(unsigned char* data, Py_ssize_t at, Py_ssize_t end) except? -1
cdef long long _number(unsigned char* data, Py_ssize_t at, Py_ssize_t end) except? -1
cdef void _append(bytearray out, long long number) except *
