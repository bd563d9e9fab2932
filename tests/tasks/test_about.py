"""A model says what it knows, and doubts pictures that it does not know."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tasks import about
from tasks.choosing import find_model
from utils import faces
from utils.data.classes import read_samples
from utils.distortions.catalogue import chosen, distort, with_levels
from utils.run import folder as runs

from helpers import ROOT, picture, scenery

MEASURED = {"classes": 3, "images": 12, "pairs": 20_000, "roc_auc": 0.95, "roc_auc_low": 0.9, "roc_auc_high": 0.99}


@pytest.fixture
def known(chapters, tmp_path):
    samples = read_samples(str(chapters(4, 4, 4)), True)
    data = SimpleNamespace(samples=samples, split=SimpleNamespace(train=np.arange(12)))
    about.write(str(tmp_path), "siamese", data, MEASURED, (48, 48, 3))
    return runs.read_json(str(tmp_path), runs.ABOUT)


def test_what_a_model_learnt_from_is_kept_and_said(known):
    assert known["shows"] == "photographs" and (known["classes"], known["images"]) == (3, 12)
    assert (about.in_words(known)
            == ("learnt from 12 photographs of 3 classes; threshold measured on 3 other classes, ROC-AUC 0.950"))
    assert "not known" in about.in_words(None)


def test_letters_are_doubted_by_a_model_of_photographs_and_own_pictures_are_not(known, alphabets, chapters):
    letters = about.read_thumbnails([str(path) for path in sorted(alphabets.rglob("*.png"))[:2]])
    assert "these pictures are characters, the model learnt from photographs" in about.warning(known, letters)
    own = about.read_thumbnails(read_samples(str(chapters(2, 2, name="again")), True).full_paths())
    assert about.warning(known, own) == "" and about.warning(None, letters) == ""


def test_pages_are_doubted_by_a_model_of_photographs_unless_it_learnt_from_such_or_a_proof_follows(known, tmp_path):
    for number, (ink, paper) in enumerate([((90, 40, 160), (190, 220, 235)), ((20, 120, 60), (240, 210, 190))]):
        page = np.full((300, 400, 3), paper, "uint8")
        page[np.indices((300, 400)).sum(axis=0) % 9 < 4] = ink
        Image.fromarray(page).save(tmp_path / f"{number}.png")
    pages = [str(tmp_path / f"{number}.png") for number in range(2)]
    free = {"ranges": {name: [0.0, 1.0] for name in known["ranges"] if name != "together"}, "drawn_share": 0.01}
    doubt = about.doubt_about(known | free, pages)
    assert "look drawn or printed" in doubt and doubt.endswith("check its answers")
    assert about.doubt_about(known | free, [scenery(), scenery(seed=1)]) == ""
    assert about.doubt_about(known | free, [pages[0], *(scenery(seed=seed) for seed in range(2))]) == ""  # one of three
    for other in ({"drawn_share": 0.5}, {"task": "copies"}):
        assert about.doubt_about(known | free | other, pages) == ""
    old = known | free
    del old["drawn_share"]
    assert about.doubt_about(old, pages) == "" and about.doubt_about(None, pages) == ""
    assert about.share_drawn([*pages, str(tmp_path / "gone.png")]) == 1.0
    assert about.share_drawn([]) == about.KNOWS_DRAWN


def test_files_that_have_gone_are_skipped(tmp_path):
    picture(tmp_path / "a.png")
    assert len(about.read_thumbnails([str(tmp_path / "none.png"), str(tmp_path / "a.png")])) == 1


def test_the_ready_model_of_characters_doubts_photographs(tmp_path):
    path = find_model("characters")
    known = about.read(path)
    assert known["shows"] == "characters"
    faces.draw_faces(str(tmp_path), people=1, pictures=2)
    assert about.warning(known, about.read_thumbnails([str(path) for path in tmp_path.rglob("*.png")]))


def test_the_ready_model_of_quality_doubts_letters_and_knows_distorted_photos(alphabets):
    known, photo = about.read(find_model("quality")), scenery()
    assert "are characters, the model learnt from photographs" in about.warning(
        known, about.read_thumbnails([str(path) for path in sorted(alphabets.rglob("*.png"))[:2]]))
    for kind in with_levels(chosen(["all"]), []).values():
        assert about.warning(known, about.read_thumbnails([distort(photo, kind, len(kind.levels), 0)])) == "", kind
    assert about.in_words(known) == "learnt from 200 photographs and distorted copies of them"


@pytest.mark.parametrize("name", ["characters", "things", "photos", "quality", "patches"])
def test_every_ready_model_says_what_it_knows(name):
    known = about.read(find_model(name))
    assert known["images"] > 100 and set(known["ranges"]) >= {"colour", "midtones", "detail", "contrast"}


@pytest.mark.parametrize("text", ['{"task": "siamese"}', "[]",
                                  '{"task": "copies", "images": 3, "shows": "photographs", "recall": "much", '
                                  '"ranges": {}}',
                                  '{"task": "rank"}',
                                  '{"task": "rank", "images": 3, "shows": "photographs", "ranges": {}}',
                                  '{"task": "siamese", "images": 1, "shows": "photographs", "classes": 1, '
                                  '"measured_on": [1], "roc_auc": null}'])
def test_an_about_json_of_another_shape_is_named(text, tmp_path):
    (tmp_path / "about.json").write_text(text)
    with pytest.raises(ValueError, match="about.json: cannot be read .*delete it") as error:
        about.read(str(tmp_path / "best.keras"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["omniglot_compact", "things_compact", "photos_compact", "rank_live"])
def test_the_ready_models_say_what_they_know(name):
    assert "learnt from" in about.in_words(about.read(str(ROOT / "model_data" / name / "best.keras")))


@pytest.mark.parametrize("reached, low, classes, says", [
    (0.55, 0.52, 50, True), (0.7, 0.45, 50, True), (0.7, 0.45, 3, False), (0.7, 0.51, 50, False),
    (0.7, None, 50, False), (None, None, 0, False)])
def test_a_run_that_is_hardly_better_than_chance_says_so_with_each_answer(reached, low, classes, says, known, chapters):
    own = about.read_thumbnails(read_samples(str(chapters(2, 2, name="again")), True).full_paths())
    poor = known | {"roc_auc": reached, "roc_auc_interval": [low, None], "measured_on": {"classes": classes}}
    warning = about.warning(poor, own)
    assert ("hardly better than chance" in warning) == says and about.trusted(warning)


def test_an_about_json_of_four_ranges_goes_on_working(known, alphabets):
    old = known | {"ranges": {name: known["ranges"][name] for name in ("colour", "midtones", "detail", "contrast")}}
    black = np.zeros((1, 48, 48, 3), "uint8")
    black[0, 10:30, 10:30] = 9  # so that something shows
    assert "unlike" in about.warning(old, black) and about.trusted(about.warning(old, black))
    letters = about.read_thumbnails([str(path) for path in sorted(alphabets.rglob("*.png"))[:2]])
    assert not about.trusted(about.warning(old, letters))


def test_a_picture_that_shows_nothing_has_no_answer_beside_another(known, chapters):
    """A form and a blank page are "the same" to an embedding of faces."""
    own = about.read_thumbnails(read_samples(str(chapters(2, 2, name="again")), True).full_paths())
    blank = np.full_like(own[:1], 255)
    for pictures in (np.concatenate([own[:1], blank]), np.concatenate([blank, blank]), blank):
        said = about.warning(known, pictures)
        assert said.startswith("nothing is to be seen in ") and not about.trusted(said)
    assert "nothing is to be seen" not in about.warning(known, np.concatenate([own, blank]))  # one of a folder
    faint = blank.copy()
    faint[0, 20:28, 10:38] = 240  # a line of text on a page
    assert "nothing is to be seen" not in about.warning(known, np.concatenate([own[:1], faint]))
    for task in ("superres", "rank", "copies"):  # larger it is blank too; a proof decides on copies
        assert "nothing is to be seen" not in about.warning(known | {"task": task}, blank)


def test_a_model_that_was_measured_again_says_by_what(tmp_path):
    measured = {"classes": 12, "images": 72, "pairs": 2310, "seen_classes": False, "roc_auc": 0.977, "roc_auc_low": 0.9,
                "roc_auc_high": 1.0, "accuracy": 0.9}
    about.measured_again(str(tmp_path), measured)
    assert not list(tmp_path.iterdir())  # a model of which nothing is known
    runs.write_json(str(tmp_path), runs.ABOUT, {"task": "siamese", "measured_on": {"classes": 2}, "roc_auc": 0.697,
                                                "classes": 9})
    about.measured_again(str(tmp_path), measured)
    known = runs.read_json(str(tmp_path), runs.ABOUT)
    assert known["measured_on"] == {"classes": 12, "images": 72, "pairs": 2310, "seen_classes": False}
    assert (known["roc_auc"], known["roc_auc_interval"], known["classes"]) == (0.977, [0.9, 1.0], 9)
