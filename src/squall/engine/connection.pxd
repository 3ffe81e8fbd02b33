from picows.picows cimport WSFrame, WSListener, WSTransport

from squall.engine.lane cimport Lane


cdef class Connection(WSListener):
    cdef readonly Lane lane
    cdef public int state
    cdef readonly WSTransport transport
    cdef list fragments
    cdef bint fragments_text
    cdef Py_ssize_t fragments_size
    cdef public bint paused
    cdef public object slow
    cdef public bint afflicted
    cdef public bint withholds_acks

    cpdef on_ws_connected(self, WSTransport transport)
    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame)
    cpdef on_ws_disconnected(self, WSTransport transport)
    cdef int _read(self, WSTransport transport, WSFrame frame)
    cdef int _hand_over(self, Py_ssize_t size)
    cdef int _receive(self, unsigned char* data, Py_ssize_t size, bint text, long long now)
