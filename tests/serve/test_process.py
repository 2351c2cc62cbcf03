"""What a model process may say: an answer to what it was asked, and nothing else."""

import asyncio
import json
import socket

import pytest

from mergeline.errors import ModelError
from mergeline.serve import process
from mergeline.serve.process import WorkerGone
from mergeline.serve.protocol import Frame

SECONDS = 30.0


def sent(frame):
    return b"".join(frame.pieces())


def talk(scenario):
    """Run a scenario with our end of a socket pair, and the other end as a plain socket."""

    async def whole():
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        channel = process._Channel()
        loop = asyncio.get_running_loop()
        with theirs:
            await loop.create_unix_connection(lambda: channel, sock=ours)
            async with asyncio.timeout(SECONDS):
                await scenario(channel, theirs)

    asyncio.run(whole())


async def until_lost(channel):
    while not channel.lost:
        await asyncio.sleep(0.01)


def test_an_answer_comes_back_to_who_asked():
    async def scenario(channel, theirs):
        for number in (200, 400):
            asked = asyncio.ensure_future(channel.ask(Frame(0, "text/csv", b"a")))
            await asyncio.sleep(0)
            assert await asyncio.to_thread(theirs.recv, 100) == sent(Frame(0, "text/csv", b"a"))
            theirs.sendall(sent(Frame(number, "x", b"said")))
            assert await asked == Frame(number, "x", b"said")

    talk(scenario)


@pytest.mark.parametrize("data", [sent(Frame(200, "", b"")), b"\xff" * 8], ids=["early", "huge"])
def test_one_that_speaks_out_of_turn_is_cut_off(data):
    async def scenario(channel, theirs):
        theirs.sendall(data)
        await until_lost(channel)
        with pytest.raises(WorkerGone, match="ended before it answered"):
            await channel.ask(Frame(0, "", b""))

    talk(scenario)


def test_one_that_ends_is_told_once_to_everybody():
    async def scenario(channel, theirs):
        told = []
        channel.on_lost = lambda: told.append(channel.lost)
        asked = asyncio.ensure_future(channel.ask(Frame(0, "", b"")))
        await asyncio.sleep(0)
        theirs.close()
        with pytest.raises(WorkerGone):
            await asked
        await until_lost(channel)
        assert told == [True]

    talk(scenario)


def test_why_it_is_not_ready_is_passed_on_if_it_says_so():
    process._require_ready(Frame(200, "", b""))
    said = json.dumps({"message": "no model", "hint": "train one"}).encode()
    with pytest.raises(ModelError, match="no model") as caught:
        process._require_ready(Frame(500, "", said))
    assert caught.value.hint == "train one"
    for data in (b"", b"\xff", b"[]", b'{"message": "x"}', b"7"):
        with pytest.raises(ModelError, match="did not say why"):
            process._require_ready(Frame(500, "", data))
