"""What the server refuses before the application sees it, over a real connection."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.web.headers import ALWAYS
from app.web.protocol import HEAD_BYTES_MAX, GuardedProtocol


class Impatient(GuardedProtocol):
    seconds_max = 0.05


async def echo(request: Request) -> PlainTextResponse:
    body = await request.body()
    return PlainTextResponse(f"{len(body)} bytes, {' '.join(request.headers)}")


@pytest.fixture(params=[GuardedProtocol])
def address(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=request.param, ws="none", log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield listening.getsockname()
    finally:
        server.should_exit = True
        thread.join()


def _ask(address: tuple[str, int], *parts: bytes) -> bytes:
    """Everything that comes back until the server closes; the client itself never does."""
    with socket.create_connection(address, timeout=10) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except (ConnectionResetError, BrokenPipeError):  # it closed while more was on its way
            return b""


def test_ordinary_requests_are_answered_also_one_after_the_other(address: tuple[str, int]):
    first = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    answers = _ask(address, first[:20], first[20:], last)

    assert answers.count(b"HTTP/1.1 200") == 2
    assert b"3 bytes" in answers


def test_large_body_is_not_taken_for_a_large_head(address: tuple[str, int]):
    size = HEAD_BYTES_MAX * 3
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size

    assert b"%d bytes" % size in _ask(address, head + b"a" * size)


@pytest.mark.parametrize("at_once", [True, False])
def test_head_that_is_too_large_is_refused(address: tuple[str, int], at_once: bool):
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * (HEAD_BYTES_MAX + 1)

    answer = _ask(address, head + (b"\r\n\r\n" if at_once else b""))

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"HTTP/1.1 200" not in answer
    for name, value in ALWAYS.items():
        assert b"%s: %s\r\n" % (name, value) in answer


def test_many_small_headers_count_too(address: tuple[str, int]):
    head = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(HEAD_BYTES_MAX // 4))

    assert _ask(address, head + b"\r\n").startswith(b"HTTP/1.1 431 ")


def test_what_is_no_http_is_refused_with_our_headers(address: tuple[str, int]):
    answer = _ask(address, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"content-security-policy: default-src 'none'" in answer
    assert b"server:" not in answer.lower()


@pytest.mark.parametrize("address", [Impatient], indirect=True)
@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_who_does_not_finish_the_head_is_sent_away(address: tuple[str, int], sent: bytes):
    assert _ask(address, sent).startswith(b"HTTP/1.1 408 ")


def test_body_of_two_lengths_is_refused(address: tuple[str, int]):
    both = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"

    answer = _ask(address, both + b"0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"HTTP/1.1 200" not in answer


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"


def test_headers_after_the_body_are_left_out(address: tuple[str, int]):
    answer = _ask(address, CHUNKED + b"X-Sent-By: somebody else\r\n\r\n")

    assert b"3 bytes" in answer
    assert b"x-sent-by" not in answer.lower()


@pytest.mark.parametrize("line", [b"X-More: a\r\n", b"a" * 1024], ids=["many", "one without end"])
def test_headers_after_the_body_have_an_end(address: tuple[str, int], line: bytes):
    start = b"" if line.endswith(b"\n") else b"X-More: "

    # More than comes in at once, together with the body. It closes while more is on its way: perhaps nobody reads 431.
    answer = _ask(address, CHUNKED + start, line * (10 * HEAD_BYTES_MAX // len(line)))

    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


def test_body_in_the_smallest_pieces_is_no_head(address: tuple[str, int]):
    head, _, _ = CHUNKED.partition(b"3\r\nabc")

    assert b"10000 bytes" in _ask(address, head, *[b"1\r\na\r\n" * 1000] * 10, b"0\r\n\r\n")


@pytest.mark.parametrize("address", [Impatient], indirect=True)
def test_connection_that_only_sends_line_ends_is_closed(address: tuple[str, int]):
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert b"HTTP/1.1 408 " in answer
