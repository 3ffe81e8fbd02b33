"""The bundled service: a WebSocket server to aim at, started as a process of its own.

    python -m squall.reference serve --port 0

It exists so that a test, the demo and the bench have a target whose behaviour is known, and it shares no code
with the load generator: of squall it imports only `squall.errors`, and nothing of squall imports it, so that
a mistake on one side cannot hide behind the same mistake on the other.

    __main__     the command line
    service      the parent: binds, starts the nodes, answers health, stops everything
    listening    the sockets, bound before anything is started
    node         one process: one loop, many connections
    connection   one connection: frames in, whole messages out
    wire_log     what came and what went, line by line, where that is asked for
    paths        which behaviour serves which path
    behaviours   what happens to a message: the echo; and acknowledging, pushing, rooms, priorities
    envelope     the service's own reader of envelopes
    seen         which messages have come, so that a retry is known for one
    outlet       the way out, counted
    bugs         what goes wrong, where that is asked for, and how often; delivery_bugs does it
    neighbours   the open connections in their order
    draws        choices by seed and count
    counters     what each node counts, in memory that all of them can read
    health       what `/healthz` and `/metrics` answer
"""
