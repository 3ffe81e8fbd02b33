"""A connection as a session has it: frames come in, whole messages go on to the session.

It joins fragments, answers pings and close frames, and fails a connection whose peer breaks the protocol. Where a
fault asks for it, it sends a message in pieces; whatever else is to go out meanwhile lets the rest of it go first. This
is the hot path: compiled where possible, the same source otherwise. What a message means is the session's to know; who
keeps the sessions is told of the upgrade and of the end.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.cpython.bytes import PyBytes_AS_STRING
    from cython.cimports.picows.picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport
    from cython.cimports.squall.delivery.envelope import Codec
    from cython.cimports.squall.engine.lane import Lane
    from cython.cimports.squall.engine.ticks import now_ns
else:
    from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

    from squall.delivery.envelope import Codec
    from squall.engine.lane import Lane
    from squall.engine.ticks import now_ns

from squall.engine.slow_frame import masked_frame

__all__ = ["Connection"]


@cython.cclass
class Connection(WSListener):
    """One connection at a time, and what is read from it. `state` is the session's; see there."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.state = 0
        self.transport = None
        self.fragments = None
        self.fragments_text = False
        self.fragments_size = 0
        self.paused = False
        self.slow = None
        self.afflicted = False
        self.withholds_acks = False

    @cython.ccall
    def on_ws_connected(self, transport: WSTransport) -> None:
        """The upgrade was accepted; see `connected`."""
        try:
            self.lane.keeper.upgraded(self, transport)
        except BaseException as error:  # noqa: BLE001 - picows would swallow it; a bug of ours must end the run
            self.lane.keeper.failed(error)

    @cython.ccall
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Read a frame. Payloads are views that die after this call."""
        try:
            self._read(transport, frame)
        except BaseException as error:  # noqa: BLE001 - picows would swallow it; a bug of ours must end the run
            self.lane.keeper.failed(error)

    @cython.cfunc
    def _read(self, transport: WSTransport, frame: WSFrame) -> cython.int:
        now: cython.longlong = now_ns() - self.lane.start_ns
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            # No extension was negotiated (RFC 6455 §5.2); a compressed payload must not be read as damage.
            self._refuse(transport, 1002, "a reserved bit is set: compression or another extension, unasked")
        elif frame.msg_type == WSMsgType.BINARY or frame.msg_type == WSMsgType.TEXT:  # noqa: PLR1714 - C numbers
            if self.fragments is not None:
                self._refuse(transport, 1002, "a new message inside a fragmented one")
            elif not frame.fin:
                self.fragments = [frame.get_payload_as_bytes()]
                self.fragments_text = frame.msg_type == WSMsgType.TEXT
                self.fragments_size = frame.payload_size
            elif cython.compiled:
                self._receive(
                    cython.cast(cython.p_uchar, frame.payload_ptr),
                    frame.payload_size,
                    frame.msg_type == WSMsgType.TEXT,
                    now,
                )
            else:
                payload = frame.get_payload_as_bytes()
                self._receive(payload, len(payload), frame.msg_type == WSMsgType.TEXT, now)
        elif frame.msg_type == WSMsgType.CONTINUATION:
            self._continue(transport, frame, now)
        elif frame.msg_type == WSMsgType.PING:
            self.clear_way()
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.PONG:
            self._ponged(frame.get_payload_as_bytes(), now)
        elif frame.msg_type == WSMsgType.CLOSE:
            self._closed_by_peer(transport, frame)
        return 0

    def _continue(self, transport: WSTransport, frame: WSFrame, now: int) -> None:
        """A further fragment (RFC 6455 §5.4): joined when the last one is here."""
        if self.fragments is None:
            self._refuse(transport, 1002, "a continuation of nothing")
            return
        self.fragments.append(frame.get_payload_as_bytes())
        self.fragments_size += frame.payload_size
        if self.fragments_size > self.lane.receive_message_max:
            self._refuse(transport, 1009, "a fragmented message larger than receive_message_max")
        elif frame.fin:
            payload: bytes = b"".join(self.fragments)
            self.fragments = None
            if cython.compiled:
                self._receive(
                    cython.cast(cython.p_uchar, PyBytes_AS_STRING(payload)),
                    len(payload),
                    self.fragments_text,
                    now,
                )
            else:
                self._receive(payload, len(payload), self.fragments_text, now)

    def _refuse(self, transport: WSTransport, code: int, why: str) -> None:
        """The peer breaks the protocol: fail the connection (RFC 6455 §7.1.7)."""
        if self.state in {1, 2, 3, 6}:
            self.lane.keeper.refused(self, code, why)
            self.clear_way()
            transport.send_close(code)
            transport.disconnect()

    @cython.cfunc
    def _receive(
        self, data: cython.p_uchar, size: cython.Py_ssize_t, text: cython.bint, now: cython.longlong
    ) -> cython.int:
        """Take a whole message; the data die after this call."""
        raise NotImplementedError

    # --- sending, under a fault too ---

    @cython.cfunc
    def _hand_over(self, size: cython.Py_ssize_t) -> cython.int:
        """Give the transport what the codec has written."""
        codec: Codec = self.lane.codec
        if self.slow is not None:
            self.paused = True
            self._send_slowly(1 if codec.text else 2, bytes(codec.buffer[codec.offset : codec.offset + size]))
        elif cython.compiled:
            self.transport.send_reuse_external_buffer(
                WSMsgType.TEXT if codec.text else WSMsgType.BINARY,
                cython.cast(cython.p_char, codec.out),
                size,
            )
        else:
            message = bytes(codec.buffer[codec.offset : codec.offset + size])
            self.transport.send(WSMsgType.TEXT if codec.text else WSMsgType.BINARY, message)
        return 0

    def _send_slowly(self, opcode: int, payload: bytes) -> None:
        """The first piece of a message; the others follow as whoever made it slow says."""
        self.clear_way()
        self.transport.underlying_transport.write(self.slow.begin(masked_frame(opcode, payload)))

    def send_piece(self) -> None:
        """The next piece, if a message is on its way."""
        if self.slow is not None and self.slow.begun:
            self.transport.underlying_transport.write(self.slow.next())

    def clear_way(self) -> None:
        """Nothing may be written inside a frame: what is left of a slow one goes out at once."""
        if self.slow is not None and self.slow.begun:
            self.transport.underlying_transport.write(self.slow.rest())

    def recover(self) -> None:
        """The fault that it suffers from is over: do what was left undone."""
        if not self.afflicted:
            return
        self.afflicted = False
        self.withholds_acks = False
        if self.slow is not None:
            self.clear_way()
            self.slow = None
            if not self.transport.underlying_transport.get_write_buffer_size():
                self.resume_writing()
        self.transport.underlying_transport.resume_reading()

    # --- control frames and the end ---

    def ping(self) -> None:
        """Send a ping that carries the time."""
        if self.state == 1:
            now: cython.longlong = now_ns() - self.lane.start_ns
            self.clear_way()
            self.transport.send_ping(_bytes_of(now))
            self.lane.keeper.tallies_now(self).connection.pings_sent += 1

    def _ponged(self, payload: bytes, now: int) -> None:
        """A pong: its round trip if it answers a ping of ours; unsolicited ones are allowed (RFC 6455 §5.5.3)."""
        if len(payload) == 8:
            sent = int.from_bytes(payload, "little")
            if 0 <= sent <= now:
                connection = self.lane.keeper.tallies_now(self).connection
                connection.pongs_received += 1
                connection.ping.record(now - sent)

    def _closed_by_peer(self, transport: WSTransport, frame: WSFrame) -> None:
        """A close frame: the answer to ours, or the peer's own, which is answered (RFC 6455 §5.5.1)."""
        if self.state == 3:
            self.lane.keeper.close_answered(self)
        else:
            code = frame.get_close_code()
            self.clear_way()
            transport.send_close(WSCloseCode.OK if code == 0 else code)
            transport.disconnect()

    @cython.ccall
    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is over."""
        try:
            self.lane.keeper.disconnected(self, transport)
        except BaseException as error:  # noqa: BLE001 - picows would swallow it; a bug of ours must end the run
            self.lane.keeper.failed(error)


def _bytes_of(number: int) -> bytes:
    return number.to_bytes(8, "little")
