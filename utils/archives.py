"""Archives, which may be a stranger's: looked through before anything is unpacked, and unpacked into a folder of their
own."""

import bz2
import contextlib
import gzip
import lzma
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

from utils.data.files import reading

FILES, BYTES, RATIO = 100_000, 2 * 10**9, 100  # most files, bytes when unpacked, and bytes to each byte of the archive
SMALL = 10**7  # bytes up to which the ratio does not matter
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
OPENERS = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}  # how packed tar archives begin
MEND = "delete it and try again"


def check_size(path: str, files: int, size: int, most: int = BYTES) -> None:
    """Raises ValueError where an archive holds too many files, or too many bytes for its length or at all."""
    if files > FILES:
        raise ValueError(f"{path}: holds {files} files, expected {FILES} at most")
    if size > min(most, max(RATIO * os.path.getsize(path), SMALL)):
        raise ValueError(f"{path}: its {os.path.getsize(path)} bytes unpack to {size} or more; expected at most "
                         f"{most}, and at most {RATIO} times its own bytes")


def check_names(path: str, names: list[str]) -> None:
    """Raises ValueError where a name in an archive leads out of the folder that it is unpacked into."""
    for name in names:
        if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/"):
            raise ValueError(f"{path}: holds {name!r}, which leads out of its folder; expected names below it")


@contextlib.contextmanager
def open_zip(path: str, expected: str, most: int = BYTES) -> Iterator[zipfile.ZipFile]:
    """A zip archive to read, looked through first; whatever fails in the block is one line that names it.

    Its names have slashes, also where it was packed with backslashes.

    Args:
        expected: what it should be, such as "Omniglot's all_runs.zip".
        most: bytes that it may unpack to.

    Raises:
        ValueError: it is not there, cut, damaged, encrypted, packed by a method that Python does not have, or too
            large.
    """
    with reading(path, expected, MEND), zipfile.ZipFile(path) as file:
        members = file.infolist()
        check_size(path, len(members), sum(member.file_size for member in members), most)
        check_names(path, file.namelist())
        for member in members:
            if member.flag_bits & 1:
                raise ValueError(f"{path}: {member.filename!r} in it is encrypted; expected {expected}: pack it "
                                 "without a password")
            if member.compress_type not in METHODS:
                method = zipfile.compressor_names.get(member.compress_type, member.compress_type)
                raise ValueError(f"{path}: {member.filename!r} in it is packed by {method}, which Python cannot "
                                 "unpack; pack it by deflate")
            member.filename = member.filename.replace("\\", "/")  # some packers of Windows write backslashes
        file.NameToInfo = {member.filename: member for member in members}
        yield file


@contextlib.contextmanager
def open_tar(path: str, expected: str) -> Iterator[tarfile.TarFile]:
    """As `open_zip`, for a tar archive, which is read through once for its size."""
    with reading(path, expected, MEND):
        with open(path, "rb") as file:
            opener = OPENERS.get(file.read(2), open)
        size = 0
        with opener(path, "rb") as file:
            while block := file.read(2**20):
                size += len(block)
                check_size(path, 0, size)
        with tarfile.open(path) as file:
            check_size(path, len(file.getmembers()), size)
            check_names(path, file.getnames())
            yield file


def check_free(folder: str) -> None:
    """Raises ValueError where there is something at `folder`: nothing is replaced."""
    if os.path.lexists(folder) and not (os.path.isdir(folder) and not os.listdir(folder)):
        raise ValueError(f"{folder}: is there, but is not the data set as it is distributed; move it away or pass "
                         "another --to: nothing is replaced")


@contextlib.contextmanager
def unpacked(archive: str, inside: str, to: str, expected: str, ending: str = "") -> Iterator[str]:
    """What a zip or tar archive holds below `inside`, in a folder that becomes `to` if the block ends without an error.

    Whatever else is in the archive is not unpacked, and nothing that is there is replaced.

    Args:
        inside: a folder in the archive, such as "images_background".
        expected: what the archive should be.
        ending: of the files to unpack.

    Raises:
        ValueError: as `open_zip` and `open_tar`; or there is something at `to`.
    """
    check_free(to)
    aside = tempfile.mkdtemp(prefix=".unpacked-", dir=os.path.dirname(os.path.abspath(to)))
    inside = str(PurePosixPath(inside))

    def wanted(name: str) -> bool:
        return name.startswith(f"{inside}/") and name.endswith(ending)

    try:
        if archive.endswith(".zip"):
            with open_zip(archive, expected) as file:
                file.extractall(aside, filter(wanted, file.namelist()))
        else:
            with open_tar(archive, expected) as file:
                file.extractall(aside, [member for member in file.getmembers() if member.isreg()
                                        and wanted(member.name)], filter="data")
        unpacked_folder = os.path.join(aside, inside)
        yield unpacked_folder
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(to)
        os.replace(unpacked_folder, to)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
