"""Models whose head compares locations: from training to a search, and what they refuse."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from apps.search import answer, duplicates, matrix
from nets import towers
from nets.models import siamese
from tasks.choosing import ready_model
from tasks.models import load_model
from tasks.similarity import model as similarity_model, task
from utils import gallery

from helpers import SMALL, picture, questions, small_siamese


def test_a_frozen_backbone_is_refused():
    with pytest.raises(ValueError, match="--freeze keeps one vector .* --head=distance"):
        task.build_model(SimpleNamespace(freeze=True), small_siamese("attention_pool"))


def test_maps_start_from_a_ready_model_and_other_towers_from_none():
    tower = towers.make_tower("photos", (64, 64, 3), normalize=False, maps=True)
    narrow = tower.get_layer("maps").get_weights()
    task.start_from_ready(tower)
    ready = load_model(ready_model("things"), siamese.KIND).get_layer("tower")
    for name in ("stem", "stage4_conv2_norm"):
        assert all(np.array_equal(a, b) for a, b in zip(tower.get_layer(name).get_weights(),
                                                        ready.get_layer(name).get_weights(), strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(narrow, tower.get_layer("maps").get_weights(), strict=True))
    with pytest.raises(ValueError, match="no layer of the ready model things is in it; expected a tower of photos"):
        task.start_from_ready(small_siamese())  # the whole model, whose tower alone is meant


def test_what_takes_hours_is_refused(monkeypatch, rng, tmp_path):
    model = siamese.comparer(small_siamese("attention_after"))
    features = model.embed(rng.integers(0, 256, (4, 32, 32, 1)))
    opened = gallery.Gallery("pictures", list("abcd"), features, 0, list("abcd"))
    monkeypatch.setattr(gallery, "MOST_BY_LOCATIONS", 5)
    for ask in (lambda: duplicates.find(opened, model,
                                        0.5), lambda: matrix.write(opened, model, str(tmp_path / "all.csv"))):
        with pytest.raises(ValueError, match="^pictures: .* place by place, which takes hours: expected 5 pairs at "
                                             "most; pass a --model"):
            ask()


def test_rerank_without_a_head_that_compares_locations_is_refused(monkeypatch, tmp_path):
    picture(tmp_path / "a.png")
    loaded = similarity_model.Loaded(siamese.comparer(small_siamese("difference")), (32, 32, 1), 0.5, "model.keras",
                                     None)
    monkeypatch.setattr(similarity_model, "load", lambda options, pictures: loaded)
    with pytest.raises(ValueError, match="--rerank=5 has no effect with this model"):
        answer.search_gallery(questions(gallery=str(tmp_path), rerank=5), [str(tmp_path / "a.png")])


@pytest.mark.rare
def test_from_training_to_a_search(alphabets, script, tmp_path):
    out = script("train.py", "--head=attention_pool", f"--dataset_path={alphabets}", "--epochs=1", "--run=places",
                 *SMALL, cwd=tmp_path)
    assert "head attention_pool: " in out and "verification on 8 held-out classes" in out
    folder = alphabets / "images_evaluation" / "Hebrew"
    query = folder / "character01" / "01.png"
    said = script("predict.py", f"--gallery={folder}", query, "--rerank=10", "--top=4", "--json", cwd=tmp_path)
    found = json.loads(said.splitlines()[-1])["results"]
    assert "compared place by place: the 10 nearest by distance (--rerank)" in said
    assert len(found) == 4 and found[0]["file"].endswith("01.png")
