"""Files of weights as PyTorch writes them, without PyTorch."""

import collections
import io
import pickle
import sys
import types
import zipfile

import numpy as np

from utils.data.formats import pytorch

TYPES = {"<f4": "FloatStorage", "<f8": "DoubleStorage", "<f2": "HalfStorage", "<i8": "LongStorage",
         "<u2": "BFloat16Storage"}


class Tensor:
    """What `write` pickles as PyTorch does its tensors: a view of numbers in a row."""

    def __init__(self, key, numbers, shape, strides, offset=0):
        self.key, self.numbers, self.view = key, numbers, (offset, shape, strides)

    def __reduce_ex__(self, protocol):
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (Storage(self.key, self.numbers), *self.view, False, collections.OrderedDict())


class Storage:
    def __init__(self, key, numbers):
        self.key, self.numbers = key, numbers


class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        if isinstance(thing, Storage):
            kind = getattr(sys.modules["torch"], TYPES[thing.numbers.dtype.str])
            return "storage", kind, thing.key, "cpu", thing.numbers.size
        return None


def writer(monkeypatch, tmp_path):
    """A function that writes an object, and the numbers (N,) of its storages by key, to a file of PyTorch, and gives
    the path."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    utils._rebuild_tensor_v2 = types.FunctionType((lambda *_: None).__code__, {}, "_rebuild_tensor_v2")
    utils._rebuild_tensor_v2.__module__, utils._rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    for name in TYPES.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def pickled(thing) -> bytes:
        held = io.BytesIO()
        Pickler(held, protocol=2).dump(thing)
        return held.getvalue()

    def made(thing, storages, old=False) -> str:
        path = tmp_path / "weights.pth"
        if old:
            rows = b"".join(len(numbers).to_bytes(8, "little") + numbers.tobytes() for numbers in storages.values())
            path.write_bytes(b"".join(map(pickled, (pytorch.MAGIC, 1001, {"little_endian": True}, thing,
                                                    list(storages)))) + rows)
        else:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("weights/data.pkl", pickled(thing))
                for key, numbers in storages.items():
                    archive.writestr(f"weights/data/{key}", numbers.tobytes())
        return str(path)

    return made


def write_arrays(write, arrays: dict[str, np.ndarray]) -> str:
    """Writes arrays by name, as the state of a network; `write` as of `writer`."""
    arrays = {name: np.array(array, order="C") for name, array in arrays.items()}
    rows = {name: array.ravel() for name, array in arrays.items()}
    return write({name: Tensor(name, rows[name], array.shape, tuple(step // array.itemsize for step in array.strides))
                  for name, array in arrays.items()}, rows)
