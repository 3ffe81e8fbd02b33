from squall.delivery.ledger cimport Stream
from squall.engine.connection cimport Connection
from squall.engine.send_times cimport SendTimes
from squall.engine.tally cimport MessageTally, Tallies


cdef class Session(Connection):
    cdef readonly unsigned int number
    cdef readonly unsigned int index
    cdef readonly Stream stream
    cdef public int epoch
    cdef public int invalid_text_epoch
    cdef public long long due_ns
    cdef public long long leave_ns
    cdef readonly long long upgraded_ns
    cdef public bint started
    cdef readonly bint scheduled
    cdef public Tallies tallies
    cdef readonly Tallies sent_tallies
    cdef readonly Tallies heard_tallies
    cdef list type_counts
    cdef readonly SendTimes times
    cdef long long latest_intended
    cdef object points
    cdef Py_ssize_t point
    cdef long long block
    cdef readonly list held
    cdef readonly long long not_sent
    cdef long long cause_stream
    cdef long long cause_sequence
    cdef readonly long long unsent
    cdef long long unsent_mark_ns
    cdef public bint down_by_tester
    cdef public int place
    cdef public int attempts
    cdef public long long slot
    cdef public object attempt
    cdef public object refusal
    cdef public bint cut_by_fault
    cdef public long long silent_from
    cdef public bint silence_harmed

    cpdef pause_writing(self)
    cpdef resume_writing(self)
    cpdef bint owes_nothing(self)
    cpdef long long on_due(self, long long now)
    cdef long long _next_point(self, long long after)
    cdef int _submit(self, long long intended, long long now)
    cdef bint _has_intended_all(self)
    cdef int _transmit(self, Tallies tallies, long long intended, long long seen)
    cdef long long _assign(self, Tallies tallies)
    cdef int _count_sent(
        self, Tallies tallies, MessageTally tally, long long sequence, long long intended, long long seen, long long sent
    )
    cdef bint _must_wait(self, long long now)
    cdef Py_ssize_t _type_of(self, long long sequence)
    cdef bint _is_mine(self)
    cdef int _count_received(self, Py_ssize_t size, long long now)
    cdef int _enter_message(self, unsigned char* data, Py_ssize_t size, bint text, long long now)
    cdef MessageTally _tally_of(self, long long sequence, Py_ssize_t type_index, long long now)
    cdef int _came_again(self, MessageTally tally)
    cdef int _arrived(
        self, long long sequence, Py_ssize_t type_index, bint recovered, long long intended, long long now
    )
    cdef int _replied(self, long long sequence, long long now)
    cdef int _judge_time(self, MessageTally tally, long long intended, long long now)
    cdef int _clock(
        self, MessageTally tally, SendTimes times, long long sequence, long long next_sequence, long long intended,
        long long now
    )
    cdef int _hear_other(self, long long now)
    cdef int _misread(self, int found, unsigned char* data, Py_ssize_t size, bint text)
