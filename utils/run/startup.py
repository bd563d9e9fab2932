"""How every script starts: flags first, the framework afterwards and quietly, errors in one line."""

import contextlib
import errno
import logging
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec

from absl import app, flags

from utils.flags import group, run as parse_and_call
from utils.saying import say_rest

LOST = ("UnavailableError", "AbortedError", "CancelledError", "InternalError", "DeadlineExceededError")  # TensorFlow's


def define_flags() -> None:
    """The flags of every script."""
    with group("How the script runs"):
        flags.DEFINE_enum("backend", None, ["tensorflow", "jax", "torch"],
                          "What Keras runs on. Default: KERAS_BACKEND, otherwise tensorflow")
        flags.DEFINE_boolean("verbose", False, "Show the framework's messages, and where an error came from")
    with group("How pictures are read"):
        flags.DEFINE_float("max_megapixels", None, "Pictures with more pixels are left out, because one might fill "
                                                   "the memory. Default: 300, and 0.9 GB of memory while it is read",
                           0.01)
        flags.DEFINE_string("picture_levels", "",
                            "BLACK,WHITE: the values that become black and white of pictures with more than 8 bits, "
                            "such as 0,4095. Default: judged by the values of each picture, and a guess is said")
        if "levels" not in flags.FLAGS:  # of distortions, in train.py and evaluate.py
            flags.DEFINE_alias("levels", "picture_levels")
        flags.DEFINE_integer("page", 1, "The page or frame that is looked at in files that hold several, such as TIFF "
                                        "and GIF", 1)
        flags.DEFINE_multi_string("exclude", [],
                                  "Leave out of every folder what this pattern matches: the name of a file or "
                                  "folder, or a path that starts from the folder, such as --exclude='*_small.jpg' "
                                  "--exclude=old/drafts. May be passed several times")


def run(main: Callable[[list[str]], None], check: Callable[[], None] = lambda: None) -> None:
    """Parses the flags and calls `main`. An error that a person can mend is one line, with exit code 2.

    Args:
        check: raises ValueError where the flags do not fit; called before `main`, which may import Keras, and that is
            slow.
    """
    define_flags()
    parse_and_call(lambda argv: guarded(main, check, argv))


def guarded(main: Callable[[list[str]], None], check: Callable[[], None], argv: list[str]) -> None:
    """Calls `main` without the chatter of libraries, and turns what a person can mend into one line."""
    if flags.FLAGS.backend:
        os.environ["KERAS_BACKEND"] = flags.FLAGS.backend
    sys.stdout, sys.stderr = (stream and Plain(stream) for stream in (sys.stdout, sys.stderr))
    try:
        if flags.FLAGS.backend and find_spec(flags.FLAGS.backend) is None:
            raise ModuleNotFoundError(name=flags.FLAGS.backend)
        tell_readers()
        check()
        if not flags.FLAGS.verbose:
            hush()
        if sys.stderr and sys.stderr.isatty():
            sys.meta_path.insert(0, Loading())
        main(argv)
        say_rest()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except app.UsageError:
        raise
    except ModuleNotFoundError as error:
        if flags.FLAGS.verbose or error.name not in ("tensorflow", "jax", "torch"):
            raise
        fail(f"{error.name} is not installed: pip install {error.name}, or pass another --backend")
    except Exception as error:
        if out_of_memory(error):
            fail(f"out of memory: {less_memory()}")
        if disk_full(error) and not flags.FLAGS.verbose:
            fail_and_hush(f"no room to write {getattr(error, 'filename', None) or 'a file'}: the disk or the quota is "
                          "full. Files that were complete are kept; make room, then start "
                          f"again{' with --resume' if 'resume' in flags.FLAGS else ''}")
        if not flags.FLAGS.verbose and "TF_CONFIG" in os.environ and lost_worker(error):
            print("error: another worker stopped, so this one ends; start all of them again with --resume",
                  file=sys.stderr)
            sys.stdout.flush()
            os._exit(2)  # JAX would wait for that worker at the exit, for a minute, and then abort
        if flags.FLAGS.verbose or not (message := what_a_person_can_mend(error)):
            raise
        fail(message)


def tell_readers() -> None:
    """Hands the flags about pictures and folders to those who read them, and to worker processes.

    Raises:
        ValueError: --exclude is no pattern, or --picture_levels are no levels.
    """
    from utils.data import files  # not for --help
    from utils.data.formats import pages, room, values

    if flags.FLAGS.max_megapixels:
        os.environ[room.LIMIT] = str(flags.FLAGS.max_megapixels)
    values.set_levels(flags.FLAGS.picture_levels)
    pages.set_page(flags.FLAGS.page)
    files.exclude(flags.FLAGS.exclude)


def fail(message: str) -> None:
    """Ends the script with one line and exit code 2."""
    print("error: " + message.replace("\n", " "), file=sys.stderr)
    sys.exit(2)


NO_RIGHTS = "pass a place that you may read and write"
NO_FOLDER = "a file lies where a folder is expected: pass another one"
MENDS = {errno.EACCES: NO_RIGHTS, errno.EPERM: NO_RIGHTS, errno.EROFS: NO_RIGHTS, errno.EEXIST: NO_FOLDER,
         errno.ENOTDIR: NO_FOLDER, errno.EISDIR: "a folder lies where a file is expected: pass the name of a file"}


def what_a_person_can_mend(error: Exception) -> str:
    """The message of a ValueError or an OSError, also where TensorFlow wraps that of a reader in its own; "" for other
    errors."""
    if isinstance(error, OSError) and error.strerror and isinstance(error.filename, str):
        return "; ".join(filter(None, [f"{error.filename}: {error.strerror}", MENDS.get(error.errno)]))
    if isinstance(error, ValueError | OSError):
        return str(error)
    within = re.findall(r"^(?:ValueError|\w*OSError|FileNotFoundError|PermissionError): (.+)$", str(error),
                        re.MULTILINE)
    return within[-1] if within and type(error).__module__.startswith("tensorflow") else ""


def lost_worker(error: Exception) -> bool:
    """Whether TensorFlow, or JAX's way of passing numbers on, says that another worker is gone."""
    return type(error).__name__ in LOST or "Gloo" in str(error)


def fail_and_hush(message: str) -> None:
    """`fail`, and nothing is said after it: h5py grumbles when it closes a file on a full disk."""
    print(f"error: {message}", file=sys.stderr, flush=True)
    sys.stderr = open(os.devnull, "w")
    sys.exit(2)


def less_memory() -> str:
    """What to do where memory is short, with the flags that this script has."""
    lower = " or ".join(f"--{name}" for name in ("batch_size", "input_shape") if name in flags.FLAGS)
    if lower:
        return f"lower {lower}, or pass a smaller --backbone"
    return "pass fewer or smaller pictures, or close other programs"


def out_of_memory(error: Exception) -> bool:
    """Whether any backend, or NumPy, ran out of memory."""
    text = f"{type(error).__name__} {error}"
    marks = ("ResourceExhausted", "RESOURCE_EXHAUSTED", "OutOfMemory", "MemoryError", "OOM when")
    return any(mark in text for mark in marks)


def disk_full(error: BaseException) -> bool:
    """Whether a file could not be written because the disk or the quota is full; h5py and NumPy say so in words
    only."""
    codes = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    # NumPy: "4096 requested and 512 written"
    words = [f"errno = {code}," for code in codes] + [" requested and "] * isinstance(error, OSError)
    return getattr(error, "errno", None) in codes or any(word in str(error) for word in words)


class Loading:
    """Says once that a large library is being loaded, which takes seconds in which nothing else is printed. It stands
    first in `sys.meta_path`, which is asked before each import, and finds nothing itself."""

    names = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
    said = False

    def find_spec(self, name: str, path=None, target=None) -> None:
        if name in self.names and not self.said:
            self.said = True
            print(f"loading {self.names[name]} ...", file=sys.stderr)


class Plain:
    """A text stream that never dies of a character and passes no commands on to the terminal, such as a file name may
    hold.

    What its encoding lacks, and control characters other than line ends, tabs, backspaces and, on a terminal, colours,
    are written as escapes.
    """

    def __init__(self, stream):
        self.stream = stream
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)
        colours = r"|\x1b(?!\[[0-9;]*m)" if stream.isatty() else "|\x1b"
        self.commands = re.compile("[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]" + colours)

    def write(self, text: str) -> int:
        return self.stream.write(self.commands.sub(lambda match: match.group().encode("unicode_escape").decode(), text))

    def __getattr__(self, name: str):
        return getattr(self.stream, name)


def hush() -> None:
    """What compiled libraries write to file descriptor 2, and Python's warnings, go nowhere; our own lines are still
    seen."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger().setLevel(logging.ERROR)
    logging.getLogger("PIL").setLevel(logging.CRITICAL)  # what it says of a picture, its exception says too
    # after the filter of `utils.data.images`, which says warnings in our words
    warnings.simplefilter("ignore", append=True)
    if sys.stderr is None:
        return
    sys.stderr.flush()
    own = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.stderr = Plain(own)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """What compiled libraries write to file descriptor 2 while TensorFlow is imported goes nowhere; afterwards the
    descriptor is as it was. For programs of one's own, whose standard error is theirs."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" in sys.modules or sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # it is closed, so nobody would see anything
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
