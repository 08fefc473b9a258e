"""The proxy before database and broker: it passes bytes, cuts, refuses and takes connections again."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from notifier.proof.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says again what it is told."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(line: socket.socket) -> None:
        with line:
            try:
                while data := line.recv(4096):
                    line.sendall(data)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(line,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    made = Proxy(("127.0.0.1", echo))
    yield made
    made.close()


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def said_again(line: socket.socket, text: bytes) -> bytes:
    threading.Thread(target=line.sendall, args=(text,), daemon=True).start()
    with line.makefile("rb") as answer:
        return answer.read(len(text))


def test_bytes_pass_both_ways(proxy: Proxy) -> None:
    with connect(proxy) as line:
        assert said_again(line, b"x" * 200_000) == b"x" * 200_000


def test_a_cut_resets_what_is_open_and_the_next_connection_works(proxy: Proxy) -> None:
    with connect(proxy) as line:
        assert said_again(line, b"before") == b"before"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            line.recv(1)
    with connect(proxy) as line:
        assert said_again(line, b"after") == b"after"


def test_refused_until_it_is_resumed_on_the_same_port(proxy: Proxy) -> None:
    port = proxy.port
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.resume()
    proxy.resume()
    assert proxy.port == port
    with connect(proxy) as line:
        assert said_again(line, b"again") == b"again"


def test_a_server_that_is_away_ends_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    proxy = Proxy(("127.0.0.1", port))
    try:
        with connect(proxy) as line, contextlib.suppress(ConnectionResetError):
            assert line.recv(1) == b""
    finally:
        proxy.close()
