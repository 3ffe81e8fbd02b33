from picows.picows cimport WSFrame, WSListener, WSTransport

from squall.delivery.ledger cimport Stream
from squall.engine.lane cimport Lane
from squall.engine.send_times cimport SendTimes
from squall.engine.tally cimport MessageTally, Tallies


cdef class Session(WSListener):
    cdef readonly unsigned int number
    cdef readonly unsigned int index
    cdef readonly Lane lane
    cdef readonly Stream stream
    cdef public int state
    cdef public int epoch
    cdef public long long due_ns
    cdef public long long leave_ns
    cdef readonly long long upgraded_ns
    cdef readonly bint started
    cdef public Tallies tallies
    cdef readonly Tallies sent_tallies
    cdef readonly Tallies heard_tallies
    cdef readonly WSTransport transport
    cdef list type_counts
    cdef SendTimes times
    cdef object points
    cdef Py_ssize_t point
    cdef long long block
    cdef readonly list held
    cdef list fragments
    cdef bint fragments_text
    cdef Py_ssize_t fragments_size
    cdef readonly long long not_sent
    cdef readonly bint paused
    cdef readonly long long unsent
    cdef long long unsent_mark_ns
    cdef public bint down_by_tester
    cdef public int place
    cdef public int attempts
    cdef public object attempt
    cdef public object refusal

    cpdef on_ws_connected(self, WSTransport transport)
    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame)
    cpdef on_ws_disconnected(self, WSTransport transport)
    cpdef pause_writing(self)
    cpdef resume_writing(self)
    cpdef bint owes_nothing(self)
    cpdef long long on_due(self, long long now)
    cdef long long _next_point(self, long long after)
    cdef int _submit(self, long long intended, long long now)
    cdef bint _has_intended_all(self)
    cdef int _transmit(self, Tallies tallies, long long intended, long long seen)
    cdef Py_ssize_t _type_of(self, long long sequence)
    cdef int _read(self, WSTransport transport, WSFrame frame)
    cdef int _receive(self, unsigned char* data, Py_ssize_t size, bint text, long long now)
    cdef bint _is_mine(self)
    cdef int _arrived(self, long long now)
    cdef int _clock(self, MessageTally tally, long long sequence, long long intended, long long now)
    cdef int _misread(self, int found, unsigned char* data, Py_ssize_t size, bint text)
