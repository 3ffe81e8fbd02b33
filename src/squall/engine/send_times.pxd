from squall.delivery.ledger cimport Stream


cdef class SendTimes:
    cdef long long ring[8]
    cdef readonly Py_ssize_t spill_max
    cdef dict spilled
    cdef dict held

    cpdef int note(self, long long sequence, long long sent, Stream stream)
    cpdef long long take(self, long long sequence, long long next_sequence)
    cpdef long long of(self, long long sequence, long long next_sequence)
    cpdef int note_held(self, long long sequence, long long seen)
    cpdef long long take_held(self, long long sequence)
