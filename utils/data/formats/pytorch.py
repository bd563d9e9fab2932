"""Files of weights that PyTorch saved, read without PyTorch.

Such a file is a pickle, which could run anything; here it may name tensors, their storages and dictionaries, and
nothing else.
"""

import collections
import io
import pickle
import zipfile
from typing import BinaryIO

import numpy as np
from numpy.lib.stride_tricks import as_strided

MAGIC = 0x1950A86A20F9469CFC6C  # the number that files of PyTorch before 1.6 begin with
TYPES = {"Double": "<f8", "Float": "<f4", "Half": "<f2", "BFloat16": "<u2", "Long": "<i8", "Int": "<i4", "Short": "<i2",
         "Char": "<i1", "Byte": "<u1", "Bool": "|b1"}
SAFE = {("collections", "OrderedDict"): collections.OrderedDict}


def read(path: str) -> dict[str, np.ndarray]:
    """The arrays of a file that `torch.save` wrote, by name; of a whole checkpoint those of its "state_dict".

    Raises:
        ValueError, or what `pickle` and `zipfile` raise: no such file, or one that holds more than arrays.
    """
    with open(path, "rb") as file:
        state = from_zip(file) if zipfile.is_zipfile(file) else from_pickles(file)
    state = state.get("state_dict", state) if isinstance(state, dict) else {}
    arrays = {name: as_float(array) for name, array in state.items() if isinstance(array, np.ndarray)}
    if not arrays:
        raise ValueError("no arrays by name are in it")
    return arrays


def as_float(array: np.ndarray) -> np.ndarray:
    """Numbers of bfloat16, which are the upper halves of float32, as such; others as they are."""
    return (array.astype("<u4") << 16).view("<f4") if array.dtype == TYPES["BFloat16"] else array


class Reader(pickle.Unpickler):
    """Makes arrays of what a pickle of PyTorch names; `load_storage` (type, key, count) -> the storage of that key."""

    def __init__(self, file: BinaryIO, load_storage):
        super().__init__(file, encoding="utf-8")
        self.load_storage = load_storage

    def find_class(self, module: str, name: str):
        """What a pickle may name, which is little."""
        if (module, name) in SAFE:
            return SAFE[module, name]
        if module == "torch" and name.endswith("Storage") and name.removesuffix("Storage") in TYPES:
            return name.removesuffix("Storage")
        if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_tensor"):
            return view
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        raise ValueError(f"it names {module}.{name}, which is none of the weights")

    def persistent_load(self, saved):
        """The storage that a tensor is a view of."""
        if len(saved) < 5 or saved[0] != "storage" or len(saved) > 5 and saved[5] is not None:
            raise ValueError(f"it names {str(saved)[:60]}, which is no storage of numbers")
        return self.load_storage(saved[1], str(saved[2]), int(saved[4]))


def view(numbers: np.ndarray, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_) -> np.ndarray:
    """A tensor: a part of a storage, numbers (N,)."""
    last = offset + sum((side - 1) * step for side, step in zip(shape, strides, strict=True))
    if min((offset, *shape, *strides)) < 0 or (0 not in shape and last >= len(numbers)):
        raise ValueError(f"a tensor of {shape} lies outside its {len(numbers)} numbers")
    return as_strided(numbers[offset:], shape, [step * numbers.itemsize for step in strides], writeable=False)


def from_zip(file: BinaryIO):
    """What a file of PyTorch 1.6 or later holds: an archive of a pickle and one file for each storage."""
    with zipfile.ZipFile(file) as archive:
        pickled = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
        if pickled is None or any(each.compress_type != zipfile.ZIP_STORED for each in archive.infolist()):
            raise ValueError("an archive, but not one of PyTorch")
        folder, loaded = pickled.removesuffix("data.pkl"), {}

        def load_storage(kind: str, key: str, count: int) -> np.ndarray:
            if key not in loaded:
                loaded[key] = np.frombuffer(archive.read(f"{folder}data/{key}"), TYPES[kind], count)
            return loaded[key]

        return Reader(io.BytesIO(archive.read(pickled)), load_storage).load()


def from_pickles(file: BinaryIO):
    """What an older file holds: pickles in a row, the third of them its arrays, and then the storages themselves."""
    room = file.seek(0, io.SEEK_END)
    file.seek(0)
    loaded: dict[str, np.ndarray] = {}

    def load_storage(kind: str, key: str, count: int) -> np.ndarray:
        if key not in loaded:
            if not 0 <= count * np.dtype(TYPES[kind]).itemsize <= room:
                raise ValueError(f"it claims {count} numbers in {room} bytes")
            loaded[key] = np.empty(count, TYPES[kind])
        return loaded[key]

    def next_pickle():
        return Reader(file, load_storage).load()

    if next_pickle() != MAGIC:
        raise ValueError("not a file of PyTorch")
    next_pickle(), next_pickle()  # the version of the format, and sizes of numbers
    state = next_pickle()
    for key in next_pickle():
        numbers = loaded[str(key)]
        if int.from_bytes(file.read(8), "little") != len(numbers) or file.readinto(numbers) != numbers.nbytes:
            raise ValueError("it is cut short")
    return state
