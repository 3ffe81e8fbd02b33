cdef class Unacknowledged:
    cdef public long long sequence
    cdef public Py_ssize_t type_index
    cdef public long long type_sequence
    cdef public long long intended_ns
    cdef public int epoch
    cdef public int attempt
    cdef public long long due_ns
    cdef public bint pauses
    cdef public long long expired_ns
    cdef public list retried_ns


cdef class AckWindow:
    cdef readonly object retries
    cdef long long timeout_ns
    cdef long long stream
    cdef readonly Py_ssize_t room
    cdef readonly list waiting
    cdef readonly long long next_ns
    cdef readonly long long timed_out
    cdef readonly Unacknowledged found
    cdef list firsts
    cdef list ends
    cdef list epochs
    cdef readonly long long undecided_below

    cpdef Py_ssize_t count(self)
    cpdef bint is_full(self)
    cpdef int add(self, long long sequence, Py_ssize_t type_index, long long type_sequence, long long intended_ns,
                  long long let_go_ns, int epoch)
    cpdef int acknowledge(self, long long sequence)
    cdef Py_ssize_t _index_of(self, long long sequence)
