"""Where the page is served, and what is said where it cannot be."""

import sys

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
