"""What the front process and a model process say to each other: length-prefixed frames.

A request is a frame with a content type and a body; its answer is a frame with a status, a
content type and a body. One at a time, over a socket pair that nobody else holds.
"""

import socket
import struct
from dataclasses import dataclass

_HEAD = struct.Struct("!IHH")  # bytes of data, number, bytes of text
_MOST_TEXT = 2**16 - 1
MOST_DATA = 2**30
# How the folder that a model process has for itself is called.
SCRATCH = "mergeline-model-"


@dataclass(frozen=True, slots=True)
class Frame:
    """One message.

    Attributes:
        number: The status of an answer; 0 in a request.
        text: The content type; at most 64 KiB of UTF-8.
        data: The body; at most 1 GiB.
    """

    number: int
    text: str
    data: bytes

    def pieces(self) -> tuple[bytes, bytes]:
        """Return the bytes to send: the head, and the body as it is."""
        text = self.text.encode()[:_MOST_TEXT]
        return _HEAD.pack(len(self.data), self.number, len(text)) + text, self.data


class Decoder:
    """Puts frames together from the pieces that a socket gives."""

    def __init__(self) -> None:
        self._pieces = bytearray()

    def feed(self, piece: bytes) -> Frame | None:
        """Add bytes; return the frame that they complete, None until then.

        Raises:
            ValueError: The other side says a size that no frame has.
        """
        self._pieces += piece
        if len(self._pieces) < _HEAD.size:
            return None
        size, number, text = _HEAD.unpack_from(self._pieces)
        if size > MOST_DATA:
            raise ValueError(f"a frame of {size} bytes; at most {MOST_DATA} are expected")
        start = _HEAD.size + text
        if len(self._pieces) < start + size:
            return None
        with memoryview(self._pieces) as view:
            frame = Frame(
                number,
                bytes(view[_HEAD.size : start]).decode(errors="replace"),
                bytes(view[start : start + size]),
            )
        del self._pieces[: start + size]
        return frame


def receive(connection: socket.socket) -> Frame | None:
    """Return the next frame; None when the other side is gone."""
    head = _exactly(connection, _HEAD.size)
    if head is None:
        return None
    size, number, text = _HEAD.unpack(head)
    if size > MOST_DATA:
        return None
    rest = _exactly(connection, text + size)
    if rest is None:
        return None
    return Frame(number, bytes(rest[:text]).decode(errors="replace"), bytes(rest[text:]))


def _exactly(connection: socket.socket, size: int) -> memoryview | None:
    buffer = memoryview(bytearray(size))
    have = 0
    while have < size:
        try:
            got = connection.recv_into(buffer[have:])
        except ConnectionError:
            return None
        if got == 0:
            return None
        have += got
    return buffer
