from squall.metrics.histogram cimport Histogram


cdef class MessageTally:
    cdef public long long intended
    cdef public long long not_sent_target
    cdef public long long not_sent_squall
    cdef public long long delivered
    cdef public long long lost
    cdef public long long unknown
    cdef public long long duplicated
    cdef public long long reordered
    cdef public long long late
    cdef public long long recovered
    cdef public long long corrupted_body
    cdef public long long reorder_extent_sum
    cdef public long long reorder_extent_max
    cdef public long long reorder_late_ns_sum
    cdef public long long reorder_late_ns_max
    cdef public long long service_unmeasured
    cdef public long long acknowledged
    cdef public long long acknowledged_first
    cdef public long long retried
    cdef public long long retry_acknowledged
    cdef public long long retries_sent
    cdef public long long gave_up
    cdef public long long ack_duplicates
    cdef public long long acknowledged_lost
    cdef public long long duplicate_arrivals
    cdef public long long reordered_in_type
    cdef public long long order_waited
    cdef public long long order_wait_ns_sum
    cdef public long long order_wait_unmeasured
    cdef public long long gaps
    cdef public long long messages_in_gaps
    cdef public long long causal_pairs
    cdef public long long causal_violations
    cdef public long long timestamps_judged
    cdef public long long timestamps_wrong
    cdef public long long acknowledged_late
    cdef public long long not_sent_fault
    cdef public bint blocked_sent
    cdef public bint blocked_delivered
    cdef readonly long long max_latency_ns
    cdef readonly Histogram response
    cdef readonly Histogram service
    cdef readonly Histogram lag
    cdef readonly Histogram pacer_lag
    cdef readonly Histogram unlagged
    cdef readonly Histogram ack
    cdef readonly Histogram ack_total
    cdef readonly Histogram retry_recovery
    cdef readonly Histogram ack_retried

    cpdef void sent_late_by(self, long long intended, long long seen, long long sent)
    cpdef bint delivered_after(self, long long response_ns, long long unlagged_ns)
    cpdef void delivered_untimed(self)
    cpdef void reordered_by(self, long long extent, long long late_ns)
    cpdef void acknowledged_after(self, long long ack_ns, bint retried)
    cpdef void acknowledged_in_all_after(self, long long ack_total_ns)
    cpdef void recovered_after(self, long long retry_recovery_ns)


cdef class ConnectionTally:
    cdef public long long attempted
    cdef public long long established
    cdef public long long failed
    cdef public long long closed
    cdef public long long dropped
    cdef public long long graceful
    cdef public long long reconnected
    cdef public long long abandoned
    cdef public long long pings_sent
    cdef public long long pongs_received
    cdef public long long corrupted_header
    cdef public long long unexpected
    cdef public long long foreign
    cdef public long long invalid_utf8
    cdef public long long window_exceeded
    cdef public long long messages_sent
    cdef public long long messages_received
    cdef public long long bytes_sent
    cdef public long long bytes_received
    cdef public long long pushed
    cdef public long long push_sequenced
    cdef public long long push_missing
    cdef public long long push_gaps
    cdef public long long push_duplicated
    cdef public long long push_reordered
    cdef public long long push_early
    cdef public long long ack_unexpected
    cdef public long long silenced
    cdef public long long silence_handled
    cdef public dict close_codes
    cdef public dict troubles
    cdef public dict misfits
    cdef public dict strikes
    cdef public dict strikes_missed
    cdef readonly Histogram connect
    cdef readonly Histogram tcp
    cdef readonly Histogram tls
    cdef readonly Histogram upgrade
    cdef readonly Histogram ping
    cdef readonly Histogram session
    cdef readonly Histogram opening
    cdef readonly Histogram push_delay
    cdef readonly Histogram reconnect


cdef class Tallies:
    cdef readonly int label
    cdef readonly int population
    cdef readonly int phase
    cdef readonly int place
    cdef readonly bint sends
    cdef public long long until_ns
    cdef readonly ConnectionTally connection
    cdef readonly list types
