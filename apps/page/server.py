"""Where the page is served: a port of this machine, until Ctrl-C."""

import errno
import io
import ipaddress
import os
import socket
import sys
import webbrowser

NEEDED = "pip install flask waitress"
THREADS = 8  # visitors whose requests are received at once; questions to the models are answered one by one
MOST_BYTES = 2**28  # of a request that is kept; of a larger one, which the page refuses with a line, nothing is
CONNECTIONS, WAITING = 500, 1024  # that are open at once, and that the system holds back until they can be
IDLE, LOOKED = 15, 3  # seconds after which a connection that sends nothing ends, and between two looks at them


def check_installed() -> None:
    """Raises ValueError, with the command that installs it, where the library that serves pages is missing."""
    try:
        import flask  # noqa: F401
        import waitress  # noqa: F401
    except ImportError as error:
        raise ValueError(f"{error.name} is not installed, which the page needs: {NEEDED}") from None


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for visitors; port 0 is any free one.

    Raises:
        ValueError: the port is taken, or the host is no address of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=WAITING)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ValueError(f"--port={port}: another program uses it, perhaps this one; end that program, or pass "
                             "another --port") from None
        if error.errno == errno.EACCES:
            raise ValueError(f"--port={port}: not allowed here; pass a --port above 1023") from None
        why = str(error.strerror).split(" (")[0]
        raise ValueError(f"--host={host}: not an address of this machine ({why}); expected 127.0.0.1, or 0.0.0.0 for "
                         "all") from None


def is_local(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address(host: str, port: int) -> str:
    """What to type into a browser on this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}/"


def serve(site, waiting: socket.socket) -> None:
    """Answers visitors until Ctrl-C."""
    make_server(site, waiting).run()  # returns at Ctrl-C


def make_server(site, waiting: socket.socket):
    """A server whose visitors get an answer to a request of any length, and are not kept waiting by idle ones."""
    import waitress
    from waitress.channel import HTTPChannel
    from waitress.parser import HTTPRequestParser
    from waitress.utilities import RequestEntityTooLarge

    class Parser(HTTPRequestParser):
        """Receives a request that is too large to its end and keeps nothing of it: a browser reads no answer before it
        has sent all, and says that the connection was reset."""

        def parse_header(self, header_plus: bytes) -> None:
            super().parse_header(header_plus)
            if self.content_length > MOST_BYTES:
                self.body_rcv.buf = Nothing()

        def received(self, data: bytes) -> int:
            consumed = super().received(data)
            if self.chunked and self.body_bytes_received > MOST_BYTES and not self.completed:  # which no browser sends
                self.error, self.completed = RequestEntityTooLarge(f"more than {MOST_BYTES} bytes"), True
            return consumed

    class Channel(HTTPChannel):
        parser_class = Parser

    server = waitress.create_server(site, sockets=[waiting], threads=THREADS, max_request_body_size=2**60, ident=None,
                                    connection_limit=CONNECTIONS, channel_timeout=IDLE, cleanup_interval=LOOKED,
                                    asyncore_use_poll=True)
    server.channel_class = Channel
    return server


class Nothing:
    """A buffer of waitress that keeps nothing."""

    def append(self, data: bytes) -> None:
        """Takes bytes, and forgets them."""

    def getfile(self) -> io.BytesIO:
        """What is read of it: nothing."""
        return io.BytesIO()

    def close(self) -> None:
        """Nothing is to be closed."""

    def __len__(self) -> int:
        return 0


def show(url: str) -> None:
    """Opens the page in a browser where there is a screen to show one."""
    if sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)
