"""Many visitors of the page at once, some of them with damaged pictures: everybody is answered.

    python tests/crowd.py
    python tests/crowd.py 200 20 same

Starts serve.py, asks one question, so that the model is loaded, and then so many at the same time, of which so many
hold a damaged picture; the last argument is the tab: same or quality. Prints one line of JSON: how often each status
came, requests without an answer, the longest answer in seconds, and the peak of the page's memory in MB before the
crowd and after it. Damaged pictures get 400, all others 200; everything else is a fault.
"""

import http.client
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from PIL import Image

ROOT = Path(__file__).parent.parent
FIELDS = {"same": ("first", "second"), "quality": ("photos",)}
BOUNDARY = "a-line-that-no-picture-holds"


def whole(seed: int) -> bytes:
    """A picture of 160 x 120 pixels as JPEG."""
    values = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype("uint8")
    stream = io.BytesIO()
    Image.fromarray(values).resize((160, 120), Image.Resampling.BICUBIC).save(stream, "JPEG")
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def damaged(seed: int) -> bytes:
    """What is no picture, is cut, or claims more pixels than are read: seven kinds."""
    size = (60_000).to_bytes(4, "big") * 2
    claims = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + bytes([8, 2, 0, 0, 0])) + chunk(b"IDAT", zlib.compress(b"0"))
    stream = io.BytesIO()
    Image.fromarray(np.full((40, 40), np.nan, "float32")).save(stream, "TIFF")
    return [b"", b"no picture", whole(seed)[:40], claims, b"GIF89a" + bytes(9), b"PK\x03\x04" + bytes(99),
            stream.getvalue()][seed % 7]


def body(tab: str, pictures: list[bytes]) -> bytes:
    """A form as a browser sends it."""
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{number}.jpg"\r\n\r\n'.encode()
             + picture + b"\r\n" for number, (field, picture) in enumerate(zip(FIELDS[tab], pictures))]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def ask(port: int, tab: str, pictures: list[bytes], found: list) -> None:
    """Sends a question and keeps its status, 0 where no answer came, and the seconds that it took."""
    begun = time.perf_counter()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=900)
        connection.request("POST", f"/{tab}", body(tab, pictures),
                           {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
        response = connection.getresponse()
        response.read()
        found.append((response.status, time.perf_counter() - begun))
    except OSError as error:
        print(f"no answer: {error}", file=sys.stderr)
        found.append((0, time.perf_counter() - begun))


def peak_mb(process: int) -> int:
    """The peak of a process' memory."""
    text = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) // 1024


def main(visitors: int = 200, bad: int = 20, tab: str = "same") -> None:
    with tempfile.TemporaryDirectory() as folder:
        page = subprocess.Popen([sys.executable, ROOT / "serve.py", "--port=0", "--nobrowser", f"--folder={folder}"],
                                cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            port = int(re.search(r":(\d+)/", page.stdout.readline())[1])
            threading.Thread(target=page.stdout.read, daemon=True).start()
            ask(port, tab, [whole(1), whole(2)], first := [])
            before, found = peak_mb(page.pid), []
            crowd = [threading.Thread(target=ask, args=(
                port, tab, [whole(number), damaged(number) if number < bad else whole(number + 1)][-len(FIELDS[tab]):],
                found)) for number in range(visitors)]
            for visitor in crowd:
                visitor.start()
            for visitor in crowd:
                visitor.join()
            print(json.dumps({"first": first[0][0], "answers": Counter(status for status, _ in found),
                              "longest_s": round(max(seconds for _, seconds in found), 1),
                              "peak_before_mb": before, "peak_mb": peak_mb(page.pid), "cores": os.cpu_count()}))
        finally:
            page.kill()
            page.wait()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:4])
