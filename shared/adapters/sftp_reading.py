"""Reads an open file over an SFTP channel, with many requests under way and bounded memory.

paramiko's own reading ahead keeps what it has asked for until it is fetched, which for a package may be all of it;
and when answers come faster than requests go out, it takes them for the last ones and asks for everything again,
piece by piece. So the requests are made here, on paramiko's channel.

What comes is kept as it came, message by message, and put together once. paramiko would gather it in one buffer, copy
that at every read, and move what stays in it: a wide window, read in small pieces, would take longer than the network.
How much is under way goes by the round trip all the same: OpenSSH's server becomes four times slower when more lies in
front of it than the line needs.
"""

import struct
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import paramiko
from paramiko.buffered_pipe import PipeTimeout
from paramiko.sftp import CMD_DATA, CMD_EXTENDED, CMD_EXTENDED_REPLY, CMD_READ, CMD_STATUS, SFTP_EOF

WINDOW_BYTES = 16 * 1024 * 1024
"""What is under way at most: enough for 300 MB/s over a round trip of 50 ms."""
_SMALL_WINDOW_BYTES = 4 * 1024 * 1024
_WINDOW_BYTES_PER_SECOND = WINDOW_BYTES / 0.05

SMALL_REQUEST_BYTES = 32 * 1024
"""What every server answers in one piece."""

_LARGE_REQUEST_BYTES = 256 * 1024
_BUNCH_COUNT = 4
"""Requests that are sent together."""

_HEADER = struct.Struct(">IBI")
"""Length of what follows, kind, and number of the request."""
_LENGTH = struct.Struct(">I")
_PLACE = struct.Struct(">QI")
_LIMITS = struct.Struct(">QQQQ")
"""Longest packet, read and write, and most open handles."""
_LIMITS_NAME = b"limits@openssh.com"
_LONGEST_PACKET_BYTES = 1024 * 1024


class Arrivals:
    """What a channel has received, message by message: a `BufferedPipe` for one thread that reads.

    paramiko's own thread feeds it. It takes the place of a channel's buffer before anything is asked there.
    """

    def __init__(self) -> None:
        self._messages = SimpleQueue[bytes]()
        """None of those that came is empty: that is the end."""
        self._begun = b""

    def __len__(self) -> int:
        """Return how many messages wait."""
        return self._messages.qsize() + bool(self._begun)

    def feed(self, data: bytes) -> None:
        """Take what came; a message may be empty, and is not the end."""
        if data:
            self._messages.put(data)

    def close(self) -> None:
        """Let whoever reads meet the end, behind all that came."""
        self._messages.put(b"")

    def read(self, nbytes: int, timeout: float | None = None) -> bytes:
        """Return at most so much of one message; nothing, however often, once there is no more.

        Raises:
            PipeTimeout: nothing came in time.
        """
        message = self._begun
        if not message:
            try:
                message = self._messages.get(timeout=timeout)
            except Empty:
                raise PipeTimeout from None
            if not message:
                self.close()
        self._begun = message[nbytes:]
        return message[:nbytes]


@dataclass(frozen=True, slots=True)
class _Packet:
    """An answer."""

    kind: int
    number: int
    content: bytes
    """Of data: the data alone."""


@dataclass(slots=True)
class _Request:
    """A piece of the file, and what came for it."""

    number: int
    offset: int
    length: int
    answer: _Packet | None = None


class _Packets:
    """What the server sends."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        self._message = b""
        self._at = 0

    def next(self) -> _Packet:
        length, kind, number = _HEADER.unpack(self._take(_HEADER.size))
        rest = length - _HEADER.size + _LENGTH.size
        if kind == CMD_DATA:
            rest -= _LENGTH.size
            if _LENGTH.unpack(self._take(_LENGTH.size)) != (rest,):
                raise paramiko.SFTPError("data of another length than announced")
        if not 0 <= rest <= _LONGEST_PACKET_BYTES:
            raise paramiko.SFTPError("a packet of impossible length")
        return _Packet(kind, number, self._take(rest))

    def _take(self, count: int) -> bytes:
        taken = self._message[self._at : self._at + count]
        self._at += len(taken)
        if len(taken) == count:
            return taken
        parts, missing = [taken], count - len(taken)
        while missing:
            self._message = self._channel.recv(WINDOW_BYTES)
            if not self._message:
                raise EOFError
            parts.append(self._message[:missing])
            self._at = len(parts[-1])
            missing -= self._at
        return b"".join(parts)


def ask_request_bytes(channel: paramiko.Channel) -> int:
    """Ask how much may be read with one request. Only OpenSSH's servers are asked: they know the question."""
    if "OpenSSH" not in channel.get_transport().remote_version:
        return SMALL_REQUEST_BYTES
    channel.sendall(_packet(CMD_EXTENDED, 0, _string(_LIMITS_NAME)))
    answer = _Packets(channel).next()
    if answer.kind != CMD_EXTENDED_REPLY:
        return SMALL_REQUEST_BYTES
    _, longest_read, _, _ = _LIMITS.unpack(answer.content[: _LIMITS.size])
    return min(longest_read, _LARGE_REQUEST_BYTES) or SMALL_REQUEST_BYTES


def window_for(round_trip_seconds: float) -> int:
    """Return how much to have under way over a line with that round trip."""
    return max(_SMALL_WINDOW_BYTES, min(WINDOW_BYTES, int(round_trip_seconds * _WINDOW_BYTES_PER_SECOND)))


def read_ahead(
    channel: paramiko.Channel, handle: bytes, begin: int, end: int, *, request_bytes: int, window_bytes: int
) -> Iterator[bytes]:
    """Yield the content from one offset to another, in order and in pieces of at most a request.

    Nobody else may use the channel meanwhile. A reading that is given up lets what is under way come home.

    Raises:
        SFTPError: the file became shorter, or the server does not answer what it was asked.
        EOFError: the connection broke.
    """
    reading = _Reading(channel, handle, request_bytes)
    at = begin
    try:
        while at < end or reading.under_way_bytes:
            room = window_bytes - reading.under_way_bytes
            if room >= _BUNCH_COUNT * request_bytes or not reading.under_way_bytes:
                to = min(end, at + max(room, request_bytes))
                reading.ask(at, to)
                at = to
            yield reading.next()
    except GeneratorExit:
        reading.drain()
        raise


class _Reading:
    """The requests under way, in the order of the file."""

    def __init__(self, channel: paramiko.Channel, handle: bytes, request_bytes: int) -> None:
        self._channel = channel
        self._handle = _string(handle)
        self._request_bytes = request_bytes
        self._packets = _Packets(channel)
        self._asked: deque[_Request] = deque()
        self._unanswered: dict[int, _Request] = {}
        self._number = 0
        self.under_way_bytes = 0

    def ask(self, begin: int, end: int) -> None:
        """Ask for more of the file."""
        requests = [self._note(at, min(self._request_bytes, end - at)) for at in range(begin, end, self._request_bytes)]
        self._asked.extend(requests)
        self._send(requests)

    def next(self) -> bytes:
        """Return what comes next in the file; a server may answer less than it was asked for, but not nothing."""
        request = self._asked.popleft()
        while (answer := request.answer) is None:
            self._receive()
        if answer.kind == CMD_STATUS and answer.content[: _LENGTH.size] == _LENGTH.pack(SFTP_EOF):
            raise paramiko.SFTPError("the file became shorter")
        if answer.kind != CMD_DATA or not 0 < len(answer.content) <= request.length:
            raise paramiko.SFTPError("the server does not answer with the file")
        data = answer.content
        self.under_way_bytes -= request.length
        if len(data) < request.length:
            rest = self._note(request.offset + len(data), request.length - len(data))
            self._asked.appendleft(rest)
            self._send([rest])
        return data

    def drain(self) -> None:
        """Leave nothing on the channel that its next user would take for an answer, if it has one."""
        with suppress(paramiko.SSHException, OSError, EOFError):
            while self._unanswered:
                self._receive()

    def _note(self, offset: int, length: int) -> _Request:
        request = _Request(self._number, offset, length)
        self._unanswered[self._number] = request
        self._number += 1
        self.under_way_bytes += length
        return request

    def _send(self, requests: list[_Request]) -> None:
        packets = b"".join(
            _packet(CMD_READ, request.number, self._handle + _PLACE.pack(request.offset, request.length))
            for request in requests
        )
        # A connection that takes no more may have brought a lot that is still to be read; its end is met behind that.
        with suppress(OSError):
            self._channel.sendall(packets)

    def _receive(self) -> None:
        packet = self._packets.next()
        request = self._unanswered.pop(packet.number, None)
        if request is None:
            raise paramiko.SFTPError("an answer that nobody has asked for")
        request.answer = packet


def _packet(kind: int, number: int, content: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size - _LENGTH.size + len(content), kind, number) + content


def _string(content: bytes) -> bytes:
    return _LENGTH.pack(len(content)) + content
