from picows.picows cimport WSFrame, WSListener, WSTransport

from squall.engine.lane cimport Lane


cdef class Connection(WSListener):
    cdef readonly Lane lane
    cdef public int state
    cdef readonly WSTransport transport
    cdef list fragments
    cdef bint fragments_text
    cdef Py_ssize_t fragments_size

    cpdef on_ws_connected(self, WSTransport transport)
    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame)
    cpdef on_ws_disconnected(self, WSTransport transport)
    cdef int _read(self, WSTransport transport, WSFrame frame)
    cdef int _receive(self, unsigned char* data, Py_ssize_t size, bint text, long long now)
