"""The envelope: 48 bytes in front of each message that say which message it is and whether it is intact.

    offset  size  field
    0       4     magic "sqEl"
    4       1     version (high nibble, 1) and flags (low nibble; 1 = text, 2 = has a cause, 4 = an acknowledgement)
    5       1     type
    6       1     attempt, from 1 (low nibble) and priority (high nibble; 0 = not stated, 1 = low … 4 = high)
    7       4     run
    11      4     stream
    15      2     epoch: how often the stream has reconnected
    17      4     sequence within the stream
    21      4     sequence within the stream and type
    25      7     intended time, nanoseconds since the run's start
    32      4     cause: stream
    36      4     cause: sequence
    40      4     body checksum: low word of XXH3-64 of the body, seeded with the length of the whole message
    44      4     header checksum: CRC-32 (ISO 3309, as zlib has it) of bytes 0 to 43

All numbers are little-endian. In a text message the magic is followed by 60 characters of base64 (RFC 4648 §4)
of bytes 4 to 47 and one zero byte; the body, printable ASCII, comes last in both forms. An acknowledgement has no
body, and repeats the fields of the message that it acknowledges, all but the cause.

What a receiver says of a payload:

- NO_ENVELOPE: shorter than the smallest envelope of its kind, or more than one wrong byte of magic;
- BAD_HEADER: one wrong byte of magic, a wrong header checksum, a version other than ours, text that is no base64;
- BAD_BODY: header good, but the body, the length or the opcode is another than was sent;
- GOOD: all of it is as it was sent.

Runs compiled or as it stands, byte for byte the same. Nothing here keeps an account: that is the ledger's.
"""

from __future__ import annotations

import binascii
import struct
import zlib

import cython
import xxhash

from squall.seeds import mix64

if cython.compiled:
    from cython.cimports.cpython.bytearray import PyByteArray_AS_STRING
    from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
    from cython.cimports.cpython.memoryview import PyMemoryView_FromMemory
    from cython.cimports.libc.string import memcpy

__all__ = [
    "BAD_BODY",
    "BAD_HEADER",
    "BINARY_SIZE_MIN",
    "BODY_CHOICES",
    "FLAG_ACK",
    "FLAG_CAUSE",
    "GOOD",
    "MAGIC",
    "NO_ENVELOPE",
    "TEXT_SIZE_MIN",
    "Codec",
    "smallest_size",
]

MAGIC = b"sqEl"
VERSION = 1
FLAG_TEXT = 1
FLAG_CAUSE = 2
FLAG_ACK = 4
BINARY_SIZE_MIN = 48
TEXT_SIZE_MIN = 64
BODY_CHOICES = 64
"""Bodies are slices of one random pool; a message takes slice (stream + sequence) mod 64."""

GOOD = 0
NO_ENVELOPE = 1
BAD_HEADER = 2
BAD_BODY = 3

_HEADROOM = 16  # picows writes the frame header, at most 14 bytes, in front of the message
_BODY_STRIDE = 64
_FIELDS = struct.Struct("<4sBBBIIHII7sIIII")  # the layout above, header checksum included
_POLYNOMIAL = 0xEDB88320


def smallest_size(text: bool) -> int:
    """The least size of a message in bytes: the envelope with no body."""
    return TEXT_SIZE_MIN if text else BINARY_SIZE_MIN


@cython.cclass
class Codec:
    """Writes and reads the messages of one population in one process.

    The fields of the last decoded envelope are read from the codec itself; `encode` leaves the message in
    `buffer` at `offset`. Neither allocates on the binary path when compiled.

    Args:
        run: the run's number, 32 bits.
        text: text messages rather than binary ones.
        sizes: the message sizes in use, in bytes, envelope included; `encode` takes an index into it.
        seed: the run's seed, from which the bodies come.
        priorities: the priority of each type, 0 (not stated) to 4 (high); of those left out it is not stated.
        checksums: whether what follows the header is looked at; without, a message with a good header is GOOD.
    """

    def __init__(
        self,
        run: int,
        text: bool,
        sizes: tuple[int, ...],
        seed: int,
        priorities: tuple[int, ...] = (),
        *,
        checksums: bool = True,
    ) -> None:
        self.checksums = checksums
        self.run_number = run
        self.text = text
        self.header_size = smallest_size(text)
        if min(sizes) < self.header_size:
            raise ValueError(f"a message of {min(sizes)} bytes cannot hold the envelope ({self.header_size})")
        self.offset = _HEADROOM
        self.sizes = list(sizes)
        self.buffer = bytearray(_HEADROOM + max(sizes) + 64)
        self.pool = _body_pool(max(sizes) + BODY_CHOICES * _BODY_STRIDE, text, seed)
        self.body_sums = [self._sums_of(size) for size in sizes]
        self.scratch = bytearray(48)
        self.priorities = bytearray(256)
        self.priorities[: len(priorities)] = bytes(priority << 4 for priority in priorities)
        self._empty_sum = xxhash.xxh3_64_intdigest(b"", self.header_size) & 0xFFFFFFFF
        self._fill_table()
        if cython.compiled:
            self.out = cython.cast(cython.p_uchar, PyByteArray_AS_STRING(self.buffer)) + 16
            self.pool_data = cython.cast(cython.p_uchar, PyBytes_AS_STRING(self.pool))
            self.scratch_data = cython.cast(cython.p_uchar, PyByteArray_AS_STRING(self.scratch))

    def _sums_of(self, size: int) -> list[int]:
        """The body checksum of each slice of the pool, for messages of one size."""
        length = size - self.header_size
        return [
            xxhash.xxh3_64_intdigest(self.pool[at : at + length], size) & 0xFFFFFFFF
            for at in range(0, BODY_CHOICES * _BODY_STRIDE, _BODY_STRIDE)
        ]

    def _fill_table(self) -> None:
        """The byte table of CRC-32, extended to take four bytes a step (slicing; Kounavis and Berry, 2005)."""
        if not cython.compiled:
            return
        index: cython.uint
        word: cython.uint
        for index in range(256):
            word = index
            for _ in range(8):
                word = (word >> 1) ^ (0xEDB88320 if word & 1 else 0)
            self.table[index] = word
        for index in range(256, 1024):
            word = self.table[index - 256]
            self.table[index] = (word >> 8) ^ self.table[word & 0xFF]

    # --- writing ---

    @cython.ccall
    def encode(
        self,
        stream: cython.uint,
        epoch: cython.uint,
        sequence: cython.uint,
        type_index: cython.uint,
        type_sequence: cython.uint,
        attempt: cython.uint,
        intended_ns: cython.longlong,
        size_index: cython.Py_ssize_t,
        cause_stream: cython.longlong = -1,
        cause_sequence: cython.longlong = -1,
    ) -> cython.Py_ssize_t:
        """Put a message into `buffer` at `offset`; returns its size. Valid until the next call.

        `cause_stream` and `cause_sequence` name the message that this one follows from; without them it has no cause.
        """
        size: cython.Py_ssize_t = self.sizes[size_index]
        choice: cython.uint = (stream + sequence) & 63
        body_sum: cython.uint = self.body_sums[size_index][choice]
        flags: cython.uint = 0x11 if self.text else 0x10
        if cause_stream >= 0:
            flags |= 2
        else:
            cause_stream = cause_sequence = 0
        mark: cython.uint = self.priorities[type_index & 0xFF] | (attempt & 15)
        self._write(
            flags, mark, stream, epoch, sequence, type_index, type_sequence, intended_ns,
            cause_stream, cause_sequence, body_sum,
        )  # fmt: skip
        if cython.compiled:
            memcpy(
                self.out + self.header_size,
                self.pool_data + choice * 64,
                size - self.header_size,
            )
        else:
            start = self.offset + self.header_size
            body = self.pool[choice * _BODY_STRIDE :][: size - self.header_size]
            self.buffer[start : start + len(body)] = body
        return size

    @cython.ccall
    def encode_ack(self) -> cython.Py_ssize_t:
        """Put the acknowledgement of the message decoded last into `buffer` at `offset`; returns its size."""
        self._write(
            0x15 if self.text else 0x14, (self.priority << 4) | self.attempt, self.stream, self.epoch,
            self.sequence, self.type_index, self.type_sequence, self.intended_ns, 0, 0, self._empty_sum,
        )  # fmt: skip
        return self.header_size

    @cython.cfunc
    def _write(
        self,
        flags: cython.uint,
        mark: cython.uint,
        stream: cython.uint,
        epoch: cython.uint,
        sequence: cython.uint,
        type_index: cython.uint,
        type_sequence: cython.uint,
        intended_ns: cython.longlong,
        cause_stream: cython.uint,
        cause_sequence: cython.uint,
        body_sum: cython.uint,
    ) -> cython.int:
        """Put a header into `buffer` at `offset`, in the form of this codec."""
        if cython.compiled:
            head: cython.p_uchar = self.scratch_data if self.text else self.out
            head[0] = 0x73
            head[1] = 0x71
            head[2] = 0x45
            head[3] = 0x6C
            head[4] = flags
            head[5] = type_index
            head[6] = mark
            _put(head + 7, self.run_number, 4)
            _put(head + 11, stream, 4)
            _put(head + 15, epoch, 2)
            _put(head + 17, sequence, 4)
            _put(head + 21, type_sequence, 4)
            _put(head + 25, intended_ns, 7)
            _put(head + 32, cause_stream, 4)
            _put(head + 36, cause_sequence, 4)
            _put(head + 40, body_sum, 4)
            _put(head + 44, self._crc(head, 44), 4)
            if self.text:
                self._armour(bytes(self.scratch))
        else:
            header = _FIELDS.pack(
                MAGIC, flags, type_index, mark, self.run_number, stream, epoch, sequence, type_sequence,
                intended_ns.to_bytes(7, "little"), cause_stream, cause_sequence, body_sum, 0,
            )  # fmt: skip
            header = header[:44] + struct.pack("<I", zlib.crc32(header[:44]))
            if self.text:
                self._armour(header)
            else:
                self.buffer[self.offset : self.offset + 48] = header
        return 0

    def _armour(self, header: bytes) -> None:
        """Write a header in its text form."""
        self.buffer[self.offset : self.offset + 64] = MAGIC + binascii.b2a_base64(
            header[4:] + b"\0", newline=False
        )

    # --- reading ---

    def decode_bytes(self, payload: bytes, text: bool) -> int:
        """Read a payload held in bytes; see `decode`."""
        if cython.compiled:
            return self.decode(cython.cast(cython.p_uchar, PyBytes_AS_STRING(payload)), len(payload), text)
        return self.decode(payload, len(payload), text)

    @cython.cfunc
    def decode(self, data: cython.p_uchar, size: cython.Py_ssize_t, text: cython.bint) -> cython.int:
        """Read a payload; GOOD, NO_ENVELOPE, BAD_HEADER or BAD_BODY. Fields are set on GOOD and BAD_BODY."""
        wrong: cython.int = 0
        if size < self.header_size:
            return 1
        wrong += data[0] != 0x73
        wrong += data[1] != 0x71
        wrong += data[2] != 0x45
        wrong += data[3] != 0x6C
        if wrong:
            return 1 if wrong > 1 else 2
        if self.text:
            if not self._unarmour(data):
                return 2
            if cython.compiled:
                if not self._read(self.scratch_data):
                    return 2
            elif not self._read(self.scratch):
                return 2
        elif not self._read(data):
            return 2
        if self.checksums and (text != self.text or self._body_digest(data, size) != self.body_sum):
            return 3
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def _read(self, head: cython.p_uchar) -> cython.bint:
        """Take the fields from a binary header; False where it is damaged or of another version."""
        if cython.compiled:
            if _get(head + 44, 4) != self._crc(head, 44):
                return False
            self.flags = head[4]
            self.type_index = head[5]
            self.attempt = head[6] & 15
            self.priority = head[6] >> 4
            self.run = _get(head + 7, 4)
            self.stream = _get(head + 11, 4)
            self.epoch = _get(head + 15, 2)
            self.sequence = _get(head + 17, 4)
            self.type_sequence = _get(head + 21, 4)
            self.intended_ns = _get(head + 25, 7)
            self.cause_stream = _get(head + 32, 4)
            self.cause_sequence = _get(head + 36, 4)
            self.body_sum = _get(head + 40, 4)
        else:
            header = bytes(head[:48])
            fields = _FIELDS.unpack(header)
            if fields[13] != zlib.crc32(header[:44]):
                return False
            self.flags, self.type_index, mark, self.run, self.stream = fields[1:6]
            self.attempt, self.priority = mark & 15, mark >> 4
            self.epoch, self.sequence, self.type_sequence = fields[6:9]
            self.intended_ns = int.from_bytes(fields[9], "little")
            self.cause_stream, self.cause_sequence, self.body_sum = fields[10:13]
        return (self.flags >> 4) == 1 and (self.flags & 1) == self.text

    @cython.cfunc
    def _unarmour(self, data: cython.p_uchar) -> cython.bint:
        """Turn a text header into its binary form in `scratch`; False where it is no base64 of one."""
        if cython.compiled:
            characters = PyBytes_FromStringAndSize(cython.cast(cython.p_char, data + 4), 60)
        else:
            characters = bytes(data[4:64])
        try:
            header = binascii.a2b_base64(characters, strict_mode=True)
        except binascii.Error:
            return False
        if len(header) != 45 or header[44]:
            return False
        self.scratch[:] = MAGIC + header[:44]
        return True

    @cython.cfunc
    @cython.exceptval(check=False)
    def _crc(self, data: cython.p_uchar, size: cython.int) -> cython.uint:
        """CRC-32 of `size` bytes, a multiple of four. Compiled only: the source has zlib's."""
        crc: cython.uint = 0xFFFFFFFF
        at: cython.int = 0
        while at < size:
            crc ^= cython.cast(cython.uint, _get(data + at, 4))
            crc = (
                self.table[768 + (crc & 0xFF)]
                ^ self.table[512 + ((crc >> 8) & 0xFF)]
                ^ self.table[256 + ((crc >> 16) & 0xFF)]
                ^ self.table[crc >> 24]
            )
            at += 4
        return crc ^ 0xFFFFFFFF

    @cython.cfunc
    def _body_digest(self, data: cython.p_uchar, size: cython.Py_ssize_t) -> cython.uint:
        """The body checksum that a message of this length and body would carry."""
        if cython.compiled:
            view = PyMemoryView_FromMemory(
                cython.cast(cython.p_char, data + self.header_size), size - self.header_size, 0x100
            )
            digest: cython.ulonglong = xxhash.xxh3_64_intdigest(view, size)
            return cython.cast(cython.uint, digest & 0xFFFFFFFF)
        return xxhash.xxh3_64_intdigest(bytes(data[self.header_size : size]), size) & 0xFFFFFFFF


def _body_pool(size: int, text: bool, seed: int) -> bytes:
    """Random bytes, or random printable ASCII without quotes and backslash, from the seed."""
    words = bytearray()
    for index in range(0, size, 8):
        words += mix64((seed + index + 1) & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little")
    if text:
        alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ."
        words = bytearray(alphabet[byte & 63] for byte in words)
    return bytes(words[:size])


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _put(out: cython.p_uchar, value: cython.ulonglong, size: cython.int) -> cython.void:
    """Store the low `size` bytes of a number, least first."""
    at: cython.int
    for at in range(size):
        out[at] = (value >> (8 * at)) & 0xFF


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _get(data: cython.p_uchar, size: cython.int) -> cython.ulonglong:
    """A number of `size` bytes, least first."""
    value: cython.ulonglong = 0
    at: cython.int
    for at in range(size):
        value |= cython.cast(cython.ulonglong, data[at]) << (8 * at)
    return value
