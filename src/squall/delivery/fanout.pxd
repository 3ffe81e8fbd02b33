from squall.delivery.ledger cimport Stream


cdef class Account:
    cdef readonly unsigned int publisher
    cdef readonly unsigned int member
    cdef readonly Stream stream
    cdef readonly long long first
    cdef readonly long long base
    cdef readonly int read_since
    cdef list earlier

    cpdef long long publish(self, int label)
    cpdef long long place_of(self, long long number)
    cpdef int arrive(self, long long place, long long now_ns)
    cpdef bint is_recovered(self, long long place)
    cpdef bint has_come(self, long long place)


cdef class Member:
    cdef readonly unsigned int number
    cdef readonly Stream stream
    cdef public bint joined
    cdef public bint is_here
    cdef public bint died
    cdef readonly list owed
    cdef readonly dict accounts_to
    cdef readonly dict accounts_from

    cpdef long long awaited(self)
