"""Where embeddings are searched: the same answers from the folder's file, from Faiss and from Milvus; kept up to date;
nothing lost."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from apps.search.indexes import index
from apps.search.indexes.index import make_index
from nets.models.siamese import Comparer
from tasks.similarity.model import Loaded

from helpers import ROOT, picture

SHAPE = (8, 8, 3)


def loaded(tmp_path, name="model", width=6, by_distance=True):
    """A model that embeds by arithmetic, and notes how many pictures it embedded."""
    path = tmp_path / f"{name}.keras"
    path.write_text(name)
    projection = np.random.default_rng(len(name)).normal(size=(np.prod(SHAPE), width)).astype("float32")
    counts = []

    def embed(images):
        counts.append(len(images))
        return images.reshape(len(images), -1).astype("float32") @ projection / 1000

    def score(left, right):
        return 1 / (1 + np.exp(np.linalg.norm(left - right, axis=-1) - 2))

    return Loaded(Comparer(embed, score, by_distance, lambda s: s), SHAPE, 0.5, str(path), None), counts


@pytest.fixture
def folder(tmp_path):
    for number in range(12):
        picture(tmp_path / "gallery" / f"{number}.png", (20 * number, 100, 30), seed=number)
    shutil.copy(tmp_path / "gallery" / "3.png", tmp_path / "gallery" / "copy.png")
    return tmp_path / "gallery"


@pytest.fixture(params=["exact", "faiss", "FILE.db", "server"])
def where(request, tmp_path):
    if request.param == "faiss":
        pytest.importorskip("faiss")
    if request.param in ("exact", "faiss"):
        return request.param
    pytest.importorskip("milvus_lite")
    pytest.importorskip("pymilvus")
    return str(tmp_path / "pictures.db") if request.param == "FILE.db" else request.getfixturevalue("server")


@pytest.fixture
def server(tmp_path):
    """The address of a Milvus server: that of Milvus Lite, in this process."""
    pytest.importorskip("pymilvus")
    module = pytest.importorskip("milvus_lite.adapter.grpc.server")
    started, db, port = module.start_server_in_thread(str(tmp_path / "server.db"))
    yield f"http://127.0.0.1:{port}"
    started.stop(0)
    db.close()


def answers(where, folder, model, queries=None, top=4):
    made = make_index(where, str(folder), model)
    embedded = made.update()
    queries = np.stack([np.full(SHAPE, value, "uint8") for value in (10, 200)]) if queries is None else queries
    found = made.nearest(model.compare.embed(queries), top)
    release(made)
    return embedded, len(made), found


def release(made):
    """Closes the file of Milvus Lite, as the end of a program does."""
    if hasattr(made, "client"):
        made.client.close()
        if made.where.endswith(".db"):
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_all()


def test_every_index_gives_the_same_answers_and_is_kept_up_to_date(where, folder, tmp_path):
    model, _ = loaded(tmp_path)
    assert answers(where, folder, model)[:2] == (12, 13)  # the copy is embedded once
    expected = answers("exact", folder, model)[2]
    assert answers(where, folder, model) == (0, 13, expected)
    picture(folder / "3.png", (250, 250, 250))
    os.remove(folder / "4.png")
    os.rename(folder / "5.png", folder / "moved.png")
    os.utime(folder / "6.png", (0, 0))
    (folder / "7.png").write_bytes(b"broken")
    embedded, count, found = answers(where, folder, model, top=99)
    assert embedded == 1 and count == 11  # the copy keeps the contents that 3.png had
    assert {name for name, _ in found[0]} == {"0.png", "1.png", "2.png", "3.png", "6.png", "8.png", "9.png", "10.png",
                                              "11.png", "copy.png",
                                              "moved.png"}
    assert found == answers("exact", folder, model, top=99)[2]


def test_faiss_keeps_its_cells_and_makes_them_again_where_files_changed(folder, tmp_path, monkeypatch, rng):
    faiss = pytest.importorskip("faiss")
    monkeypatch.setattr(index, "FEW", 5)
    model, _ = loaded(tmp_path)
    assert len(answers("faiss", folder, model, top=13)[2][0]) == 13  # more than the nearest cells hold
    cells = list(folder.glob(".faiss-*"))
    assert len(cells) == 1
    before = cells[0].stat().st_mtime_ns
    answers("faiss", folder, model)
    assert cells[0].stat().st_mtime_ns == before
    cells[0].write_bytes(b"half")
    answers("faiss", folder, model)
    os.remove(folder / "0.png")
    answers("faiss", folder, model)
    left = list(folder.glob(".faiss-*"))
    assert len(left) == 1 and left != cells and faiss.read_index(str(left[0])).ntotal == 12


def test_faiss_finds_most_of_what_is_nearest(rng):
    pytest.importorskip("faiss")
    from utils.metrics.retrieval import Index

    centres = rng.normal(size=(300, 16))
    features = (np.repeat(centres, 200, axis=0) + 0.1 * rng.normal(size=(60_000, 16))).astype("float32")
    queries = features[:: 600]
    right = Index(features).nearest(queries, 10)[0]
    found = index.Cells(index.make_cells(features, index.FEW)).nearest(queries, 10)[0]
    assert np.mean([len(set(a) & set(b)) for a, b in zip(right, found)]) > 9.5


@pytest.mark.parametrize("name, says", [
    ("annoy", "--index=annoy: expected exact, faiss, a file such as pictures.db"),
    ("pictures.sqlite", "expected exact"),
])
def test_an_index_that_is_none_of_these_is_refused(name, says, folder, tmp_path):
    with pytest.raises(ValueError, match=says):
        make_index(name, str(folder), loaded(tmp_path)[0])


@pytest.mark.parametrize("name", ["faiss", "pictures.db"])
def test_models_without_distances_and_missing_packages_are_refused(name, folder, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=f"--index=.*{name} searches by distance"):
        make_index(name, str(folder), loaded(tmp_path, by_distance=False)[0])
    monkeypatch.setitem(sys.modules, "faiss", None)
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(ValueError, match="is not installed: pip install "):
        make_index(name, str(folder), loaded(tmp_path)[0])


def test_a_collection_of_another_model_width_folder_or_program_is_refused(server, folder, tmp_path):
    model, _ = loaded(tmp_path)
    answers(server, folder, model)
    with pytest.raises(ValueError, match="holds embeddings of the model .*model.keras .* and not of .*others.keras"):
        answers(server, folder, loaded(tmp_path, "others")[0])
    with pytest.raises(ValueError, match="holds 6 numbers for each picture, and .*wide.keras gives 7"):
        answers(server, folder, loaded(tmp_path, "wide", 7)[0])
    shutil.copytree(folder, tmp_path / "away")
    with pytest.raises(ValueError, match="holds the pictures of .*gallery, and not of .*away"):
        answers(server, tmp_path / "away", model)
    from pymilvus import MilvusClient

    MilvusClient(server).create_collection("pictures2", dimension=6)
    with pytest.raises(ValueError, match="the collection pictures2 was not made by this program"):
        make_index(server, str(folder), model, "pictures2")
    assert answers(server, folder, model)[:2] == (0, 13)  # nothing was written by those


def test_two_writers_of_a_server_at_once_lose_nothing(server, folder, tmp_path):
    """Each of them begins while the other one writes."""
    model, counts = loaded(tmp_path)
    first, second = make_index(server, str(folder), model), make_index(server, str(folder), model)
    begun, embed_all = [], first.embed

    def between(changed):
        if not begun:
            begun.append(True)
            assert second.update() == 12
        return embed_all(changed)

    first.embed = between
    assert first.update() == 12 and (len(first), len(second)) == (13, 13)
    assert answers(server, folder, model) == (0, 13, answers("exact", folder, model)[2])


def test_a_file_that_another_program_has_open_is_one_line(folder, tmp_path):
    pytest.importorskip("milvus_lite")
    path = str(tmp_path / "pictures.db")
    code = (f"import sys, time; from pymilvus import MilvusClient; c = MilvusClient({path!r}); print('open', "
            "flush=True); sys.stdin.readline()")
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "open\n"
    model, _ = loaded(tmp_path)
    with pytest.raises(ValueError,
                       match="pictures.db: Milvus Lite cannot open this file .*another program has it open") as error:
        make_index(path, str(folder), model)
    assert "\n" not in str(error.value)
    other.communicate("\n", timeout=60)
    assert answers(path, folder, model)[:2] == (12, 13)


def test_no_server_and_a_lost_connection_are_one_line_and_nothing_is_lost(tmp_path, folder, monkeypatch):
    pytest.importorskip("pymilvus")
    module = pytest.importorskip("milvus_lite.adapter.grpc.server")
    from apps.search.indexes import milvus
    from utils import gallery

    monkeypatch.setattr(milvus, "WAIT", 2.0)
    monkeypatch.setattr(gallery, "BLOCK", 4)
    model, counts = loaded(tmp_path)
    with pytest.raises(ValueError, match="http://127.0.0.1:1: Milvus does not answer"):
        make_index("http://127.0.0.1:1", str(folder), model)
    started, db, port = module.start_server_in_thread(str(tmp_path / "server.db"))
    made, embed = make_index(f"http://127.0.0.1:{port}", str(folder), model), model.compare.embed

    def stopped(images):
        if len(counts) == 4:  # in the second block or later
            started.stop(0)
            db.close()
        return embed(images)

    made.model = model._replace(compare=model.compare._replace(embed=stopped))
    with pytest.raises(ValueError, match="Milvus does not answer .*what was written is kept") as error:
        made.update()
    assert "\n" not in str(error.value)
    started, db, port = module.start_server_in_thread(str(tmp_path / "server.db"))
    again = make_index(f"http://127.0.0.1:{port}", str(folder), model)
    assert 0 < again.update() < 12 and len(again) == 13
    started.stop(0)
    db.close()


KILLED = """
import os, signal, sys
sys.path[:0] = [{tests!r}, {root!r}]
from pathlib import Path
from utils import gallery
import test_index

gallery.BLOCK = 4
model, counts = test_index.loaded(Path(sys.argv[1]))
embed = model.compare.embed

def killed(images):
    if len(counts) > 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return embed(images)

made = test_index.make_index(sys.argv[2], sys.argv[3], model)
made.model = model._replace(compare=model.compare._replace(embed=killed))
made.update()
"""


@pytest.mark.slow
def test_a_killed_writer_of_a_file_loses_nothing(folder, tmp_path):
    pytest.importorskip("milvus_lite")
    path = str(tmp_path / "pictures.db")
    code = KILLED.format(tests=os.path.dirname(__file__), root=str(ROOT))
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), path, str(folder)],
                          env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    embedded, count, found = answers(path, folder, loaded(tmp_path)[0])
    assert 0 < embedded < 12 and (count, found) == (13, answers("exact", folder, loaded(tmp_path)[0])[2])
