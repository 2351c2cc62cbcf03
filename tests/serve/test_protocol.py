"""Frames arrive whole, in whatever pieces a socket gives."""

import socket
import threading

import numpy as np
import pytest

from mergeline.serve.protocol import MOST_DATA, Decoder, Frame, receive

FRAMES = [
    Frame(0, "application/json; charset=utf-8", b"{}"),
    Frame(200, "", b""),
    Frame(500, "é" * 300, np.random.default_rng(0).bytes(70_000)),
    Frame(65535, "text/csv", b"\x00" * 17),
]
BYTES = b"".join(piece for frame in FRAMES for piece in frame.pieces())


@pytest.mark.parametrize("size", [1, 3, 8, 9, 4096])
def test_frames_are_put_together_from_pieces(size):
    # One at a time is what the two sides agree on: nothing follows before an answer.
    for frame in FRAMES:
        data = b"".join(frame.pieces())
        decoder = Decoder()
        found = [decoder.feed(data[at : at + size]) for at in range(0, len(data), size)]
        assert found[:-1] == [None] * (len(found) - 1)
        assert found[-1] == frame


def test_a_socket_gives_frames_and_then_nothing():
    ours, theirs = socket.socketpair()
    sender = threading.Thread(target=theirs.sendall, args=(BYTES,))
    sender.start()
    with ours:
        assert [receive(ours) for _ in FRAMES] == FRAMES
        sender.join()
        theirs.close()
        assert receive(ours) is None


def test_a_frame_that_is_cut_is_none():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"".join(FRAMES[2].pieces())[:-1])
        theirs.shutdown(socket.SHUT_WR)
        assert receive(ours) is None


def test_a_size_that_no_frame_has_is_refused():
    head, _ = Frame(0, "", b"").pieces()
    wrong = (MOST_DATA + 1).to_bytes(4, "big") + head[4:]
    with pytest.raises(ValueError, match="a frame of 1073741825 bytes"):
        Decoder().feed(wrong)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(wrong)
        assert receive(ours) is None
