"""Files of weights that PyTorch saved, read without PyTorch; written here as PyTorch writes them."""

import collections

import numpy as np
import pytest

from utils.data.files import reading
from utils.data.formats import pytorch

from torch_files import Tensor, writer


@pytest.fixture
def write(monkeypatch, tmp_path):
    """See `torch_files.writer`."""
    return writer(monkeypatch, tmp_path)


@pytest.mark.parametrize("old", [False, True])
def test_arrays_are_read_as_they_were_written(write, old, rng):
    storages = {"0": rng.normal(size=24).astype("<f4"), "1": np.array([7], "<i8"),
                "2": rng.normal(size=5).astype("<f2")}
    state = {"kernel": Tensor("0", storages["0"], (2, 3, 4), (12, 4, 1)),
             "turned": Tensor("0", storages["0"], (4, 3), (1, 4), 12),  # a view of the same numbers
             "count": Tensor("1", storages["1"], (), ()), "half": Tensor("2", storages["2"], (5,), (1,)),
             "none": Tensor("0", storages["0"], (0, 3), (3, 1))}
    read = pytorch.read(write({"state_dict": collections.OrderedDict(state), "epoch": 3}, storages, old))
    assert list(read) == list(state) and read["none"].shape == (0, 3)
    assert np.array_equal(read["kernel"], storages["0"].reshape(2, 3, 4))
    assert np.array_equal(read["turned"], storages["0"][12:].reshape(3, 4).T)
    assert read["count"] == 7 and np.array_equal(read["half"], storages["2"])


@pytest.mark.parametrize("old", [False, True])
def test_numbers_of_bfloat16_become_float32(write, old):
    halves = (np.array([1.0, -2.5, 0.0], "<f4").view("<u4") >> 16).astype("<u2")
    read = pytorch.read(write({"x": Tensor("0", halves, (3,), (1,))}, {"0": halves}, old))
    assert read["x"].dtype == np.float32 and list(read["x"]) == [1.0, -2.5, 0.0]


@pytest.mark.parametrize("old", [False, True])
def test_tensors_outside_their_numbers_are_refused(write, old):
    numbers = np.zeros(6, "<f4")
    for shape, strides, offset in (((7,), (1,), 0), ((2, 3), (3, 1), 1), ((2,), (-1,), 1), ((3,), (1,), -1)):
        with pytest.raises(ValueError, match="lies outside its 6 numbers"):
            pytorch.read(write({"x": Tensor("0", numbers, shape, strides, offset)}, {"0": numbers}, old))


def test_nothing_but_arrays_is_made(write):
    for thing in (collections.Counter("ab"), pathlike()):
        with pytest.raises(ValueError, match=r"it names [\w.]+, which is none of the weights"):
            pytorch.read(write({"x": thing}, {}))
    with pytest.raises(ValueError, match="no arrays by name"):
        pytorch.read(write({"epoch": 3}, {}))
    with pytest.raises(ValueError, match="no arrays by name"):
        pytorch.read(write([1, 2], {}))


def pathlike():
    """An object whose pickle names a function of the standard library."""
    import pathlib

    return pathlib.PurePosixPath("a")


def test_files_that_are_cut_or_none_are_named(write, tmp_path):
    numbers = np.arange(6, dtype="<f4")
    whole = open(write({"x": Tensor("0", numbers, (6,), (1,))}, {"0": numbers}, old=True), "rb").read()
    path = str(tmp_path / "cut.pth")
    for data in (whole[:-4], whole[:40], b"", b"PK\x03\x04", b"not weights"):
        with open(path, "wb") as file:
            file.write(data)
        with pytest.raises(ValueError, match="cut.pth: cannot be read"), reading(path):
            pytorch.read(path)


def test_what_pytorch_itself_writes(tmp_path):
    torch = pytest.importorskip("torch")
    state = {"a": torch.randn(3, 4).t(), "b": torch.nn.Parameter(torch.randn(2)), "c": torch.randn(3).bfloat16()}
    for zipped in (True, False):
        torch.save(state, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
        read = pytorch.read(str(tmp_path / "x.pt"))
        assert all(np.array_equal(read[name], value.detach().float().numpy()) for name, value in state.items())
