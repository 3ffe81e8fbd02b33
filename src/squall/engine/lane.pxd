from squall.delivery.envelope cimport Codec
from squall.engine.backlog cimport Backlog
from squall.engine.check_windows cimport CheckWindows
from squall.profiles.mix cimport MessageMix


cdef class Lane:
    cdef readonly int population
    cdef readonly Codec codec
    cdef readonly MessageMix mix
    cdef object arrivals
    cdef readonly long long period_ns
    cdef readonly long long burst_more
    cdef readonly bint sequential
    cdef readonly long long block_ns
    cdef readonly object keeper
    cdef readonly CheckWindows checks
    cdef readonly Backlog backlog
    cdef readonly bint enveloped
    cdef readonly bint silent
    cdef readonly bint ignore_foreign
    cdef readonly long long send_buffer_max
    cdef readonly long long send_buffer_age_max_ns
    cdef readonly Py_ssize_t blocked_max
    cdef readonly Py_ssize_t receive_message_max
    cdef readonly bint orders
    cdef readonly bint timestamps
    cdef readonly int worker
    cdef readonly object worst_streams
    cdef readonly object sending_troubles
    cdef readonly object late_messages
    cdef public long long start_ns
    cdef public long long held_total
    cdef public long long last_arrival_ns
    cdef public long long silence_ns
    cdef public long long silence_start_ns

    cpdef void heard(self, long long now) noexcept
