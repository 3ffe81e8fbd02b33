cdef class Codec:
    cdef readonly unsigned int run_number
    cdef readonly bint text
    cdef readonly bint checksums
    cdef readonly Py_ssize_t header_size
    cdef readonly Py_ssize_t offset
    cdef readonly list sizes
    cdef readonly bytearray buffer
    cdef bytes pool
    cdef list body_sums
    cdef bytearray scratch
    cdef readonly bytearray priorities
    cdef unsigned int _empty_sum
    cdef unsigned char* out
    cdef unsigned char* pool_data
    cdef unsigned char* scratch_data
    cdef unsigned int table[1024]

    # The last decoded envelope.
    cdef readonly unsigned int flags
    cdef readonly unsigned int type_index
    cdef readonly unsigned int attempt
    cdef readonly unsigned int priority
    cdef readonly unsigned int run
    cdef readonly unsigned int stream
    cdef readonly unsigned int epoch
    cdef readonly unsigned int sequence
    cdef readonly unsigned int type_sequence
    cdef readonly long long intended_ns
    cdef readonly unsigned int cause_stream
    cdef readonly unsigned int cause_sequence
    cdef readonly unsigned int body_sum

    cpdef Py_ssize_t encode(self, unsigned int stream, unsigned int epoch, unsigned int sequence,
                            unsigned int type_index, unsigned int type_sequence, unsigned int attempt,
                            long long intended_ns, Py_ssize_t size_index,
                            long long cause_stream=*, long long cause_sequence=*)
    cpdef Py_ssize_t encode_ack(self)
    cdef int _write(self, unsigned int flags, unsigned int mark, unsigned int stream, unsigned int epoch,
                    unsigned int sequence, unsigned int type_index, unsigned int type_sequence,
                    long long intended_ns, unsigned int cause_stream, unsigned int cause_sequence,
                    unsigned int body_sum)
    cdef int decode(self, unsigned char* data, Py_ssize_t size, bint text)
    cdef bint _read(self, unsigned char* head) noexcept
    cdef bint _unarmour(self, unsigned char* data)
    cdef unsigned int _crc(self, unsigned char* data, int size) noexcept
    cdef unsigned int _body_digest(self, unsigned char* data, Py_ssize_t size)
