"""Where the page is served, and what is said where it cannot be."""

import http.client
import socket
import sys
import threading
import time

import pytest

from apps.page import server


def test_a_port_that_is_taken_is_one_line():
    with server.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"--port={port}: another program uses it"):
            server.listen("127.0.0.1", port)
    server.listen("127.0.0.1", port).close()


def test_an_address_that_is_not_ours_is_one_line():
    with pytest.raises(ValueError, match="--host=192.0.2.1: not an address of this machine"):
        server.listen("192.0.2.1", 0)


@pytest.mark.parametrize("host, local", [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.8.8.8", True),
                                         ("0.0.0.0", False), ("::", False), ("192.168.1.5", False),
                                         ("my-computer", False)])
def test_only_addresses_of_this_machine_are_local(host, local):
    assert server.is_local(host) is local


@pytest.mark.parametrize("host, url", [("127.0.0.1", "http://127.0.0.1:80/"), ("0.0.0.0", "http://127.0.0.1:80/"),
                                       ("::1", "http://[::1]:80/")])
def test_the_address_can_be_typed_into_a_browser(host, url):
    assert server.address(host, 80) == url


@pytest.mark.parametrize("name", ["flask", "waitress"])
def test_a_package_that_is_missing_is_one_line_with_the_command(name, monkeypatch):
    for package in ("flask", "waitress"):
        monkeypatch.setitem(sys.modules, package, None if package == name else sys)
    with pytest.raises(ValueError, match=f"{name} is not installed, which the page needs: pip install flask waitress"):
        server.check_installed()


@pytest.fixture
def served(monkeypatch):
    """A function that serves an application with small limits, and returns its port."""
    pytest.importorskip("waitress")
    monkeypatch.setattr(server, "MOST_BYTES", 1000)
    monkeypatch.setattr(server, "IDLE", 1)
    monkeypatch.setattr(server, "LOOKED", 1)
    running = []

    def serve(site) -> int:
        waiting = server.listen("127.0.0.1", 0)
        running.append(server.make_server(site, waiting))
        threading.Thread(target=running[-1].run, daemon=True).start()
        return waiting.getsockname()[1]

    yield serve
    for each in running:
        each.close()


def told(environ, start_response):
    """Answers with what was announced, and what can be read."""
    start_response("413 Too Large" if int(environ.get("CONTENT_LENGTH") or 0) > 500 else "200 OK", [])
    return [f"{environ.get('CONTENT_LENGTH') or 0} {len(environ['wsgi.input'].read())}".encode()]


@pytest.mark.parametrize("sent, status, answer", [(400, 200, b"400 400"), (900, 413, b"900 900"),
                                                  (3_000_000, 413, b"3000000 0"), (1001, 413, b"1001 0")])
def test_a_request_of_any_length_is_answered_and_a_large_one_is_not_kept(sent, status, answer, served):
    connection = http.client.HTTPConnection("127.0.0.1", served(told), timeout=20)
    connection.request("POST", "/", bytes(sent))
    response = connection.getresponse()
    assert (response.status, response.read()) == (status, answer)
    connection.request("POST", "/", b"again")  # the connection is not at a loss
    assert connection.getresponse().read() == b"5 5"


def test_idle_connections_keep_nobody_waiting_and_end(served):
    port = served(told)
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(150)]
    begun = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/")
    assert connection.getresponse().status == 200 and time.monotonic() - begun < 5
    for each in idle:
        each.settimeout(20)
        assert each.recv(1) == b""  # the server ended it
        each.close()
