"""The report of a model, on test sets of any size."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest

from tasks.similarity import figures, report
from utils.data.classes import Samples
from utils.metrics.verification import Pairs


class Comparer:
    """Embeds an image as its mean colour; similarity falls with the distance."""

    by_distance = True

    def embed(self, images, progress=None):
        return images[:].reshape(len(images), -1, 3).mean(axis=1).astype("float32")

    def score(self, left, right):
        return np.exp(-np.linalg.norm(left - right, axis=-1) / 50)


def samples_of(counts, rng):
    labels = np.repeat(np.arange(len(counts)), counts)
    colours = rng.integers(0, 256, (len(counts), 1, 1, 3))
    images = np.clip(colours[labels] + rng.integers(-9, 10, (len(labels), 8, 8, 3)), 0, 255).astype("uint8")
    names = [f"class{label}" for label in range(len(counts))]
    paths = [f"class{label}/{number}.png" for number, label in enumerate(labels)]
    return Samples("", paths, labels, names, np.zeros(len(counts), int)), images


@pytest.mark.parametrize("counts", [(2, 1), (9, 1, 4), *(pytest.param(counts, marks=pytest.mark.rare) for counts in (
    (2, 2), (1, 3, 2), (30, 25, 2)))])
def test_any_size_is_reported(counts, tmp_path, rng):
    samples, images = samples_of(counts, rng)
    result = report.write_verification(Comparer(), images, samples, np.arange(len(images)), str(tmp_path))
    assert result["accuracy"] > 0.8 and report.in_words(result)
    with open(tmp_path / "classes.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["class"]: int(row["images"]) for row in rows} == dict(zip(samples.classes, counts))
    for name in ("verification.png", "mistakes.png", "map.png"):
        assert (tmp_path / name).stat().st_size > 1000


def test_classes_to_validate_on_that_disagree_with_the_test_are_told(rng):
    """Six easy classes, and six whose pictures are alike."""
    samples, images = samples_of((9,) * 18, rng)
    hard = np.flatnonzero(samples.labels >= 12)
    images[hard] = rng.integers(100, 140, (len(hard), 8, 8, 3))
    easy = np.flatnonzero(samples.labels < 6)
    measured = {"classes": 6, "roc_auc_low": 0.97, "roc_auc_high": 1.0, "seen_classes": False}
    told = [report.disagreement(Comparer(), images, samples.labels, rows, 0, measured)
            for rows in (easy, hard, hard[:18], hard[:0])]
    assert told[0] == told[3] == []
    assert told[1][0].startswith("but the 6 classes to validate on give a ROC-AUC of 0.") and ", 0." in told[1][0]
    assert told[2][0].startswith("but the 2 classes to validate on give") and len(told[1] + told[2]) == 2
    for silent in ({"classes": 3}, {"seen_classes": True}):
        assert report.disagreement(Comparer(), images, samples.labels, hard, 0, measured | silent) == []


def test_classes_without_a_pair_are_not_reported(tmp_path, rng):
    samples, images = samples_of((1, 1, 1), rng)
    assert report.write_verification(Comparer(), images, samples, np.arange(3), str(tmp_path)) == {}
    assert "quality is unknown" in report.in_words({})[0]


@pytest.mark.parametrize("spread", [0.0, 1e-3])
def test_a_collapsed_model_is_reported(spread, tmp_path, rng):
    samples, images = samples_of((9, 8, 7), rng)
    comparer = Comparer()
    comparer.embed = lambda images, progress=None: (1 + spread * np.arange(len(images))[:, None]
                                                    * np.ones(4)).astype("float32")
    assert "accuracy" in report.write_verification(comparer, images, samples, np.arange(len(images)), str(tmp_path))


def test_a_report_holds_no_figures_of_another_one(tmp_path, rng):
    samples, images = samples_of((9, 8, 7), rng)
    (tmp_path / "evaluation.json").write_text('{"one_shot_accuracy": 1.0}')
    result = report.write_verification(Comparer(), images, samples, np.arange(len(images)), str(tmp_path))
    assert json.loads((tmp_path / "evaluation.json").read_text()) == pytest.approx(result)


def test_what_training_alone_can_tell_stays_in_a_report(tmp_path, rng):
    (tmp_path / "evaluation.json").write_text('{"choice": {"name": "pixels"}, "splits": {"roc_auc": [1, 2]}, "old": 1}')
    samples, images = samples_of((4, 5), rng)
    result = report.write_verification(Comparer(), images, samples, np.arange(len(images)), str(tmp_path))
    written = json.loads((tmp_path / "evaluation.json").read_text())
    assert written["choice"] == {"name": "pixels"} and written["splits"] == {"roc_auc": [1, 2]} and "old" not in written
    assert written["roc_auc"] == result["roc_auc"]


def test_embeddings_that_are_no_numbers_are_said(rng):
    samples, images = samples_of((9, 8, 7), rng)
    comparer = Comparer()
    comparer.embed = lambda images, progress=None: np.full((len(images), 4), np.nan)
    with pytest.raises(ValueError, match="training diverged. Try a learning rate ten times lower"):
        report.pairs_of_features(comparer, images, samples.labels, np.arange(len(images)), 0)


def doubtful(**changes):
    return {"classes": 8, "roc_auc": 0.95, "roc_auc_low": 0.9, "roc_auc_high": 0.99, "pixels_roc_auc": 0.6,
            "fisherfaces_roc_auc": 0.8} | changes


def test_a_figure_says_how_sure_it_is_and_what_simple_methods_reach():
    (line,) = report.against_chance(doubtful())
    assert ("0.900 to 0.990" in line and "pixels on the same pairs: 0.600" in line
            and "Fisherfaces on the same pairs: 0.800" in line)


@pytest.mark.parametrize("changes", [{"roc_auc": 0.55}, {"roc_auc": 0.7, "roc_auc_low": 0.48},
                                     {"classes": 2, "roc_auc": 0.53, "roc_auc_low": 0.0}])
def test_chance_is_called_chance(changes):
    assert any("hardly better than chance" in line for line in report.against_chance(doubtful(**changes)))


def test_few_classes_and_a_network_that_is_no_better_are_said():
    assert "2 classes are too few to say how sure" in report.against_chance(doubtful(classes=2, roc_auc_low=0.0))[0]
    assert any("Fisherfaces do as well without a network" in line
               for line in report.against_chance(doubtful(fisherfaces_roc_auc=0.96)))


def test_the_map_names_its_classes_and_covers_neither_title_nor_pictures(rng, monkeypatch):
    """The title is free also where all classes lie at one place."""
    drawn = []
    monkeypatch.setattr(figures.figures, "save", lambda page, folder, name: drawn.append(page))
    labels = np.repeat(np.arange(6), 5)
    for spread in (1.0, 0.0):
        figures.embedding_map("", spread * rng.normal(size=(30, 2)), rng.integers(0, 255, (30, 16, 16, 3)), labels,
                              list("abcdef"))
        page = drawn.pop()
        page.draw_without_rendering()
        axis = page.axes[0]
        boxes = [artist.get_window_extent() for artist in axis.artists]
        assert len(boxes) == 6 and not any(box.overlaps(axis.title.get_window_extent()) for box in boxes)
        assert not spread or not any(a.overlaps(b) for number, a in enumerate(boxes) for b in boxes[:number])
        assert [text.get_text() for text in axis.get_legend().get_texts()] == list("abcdef")
        assert not axis.get_legend().get_window_extent().overlaps(axis.get_window_extent())


def test_mistakes_are_wrong_and_shown_once(tmp_path):
    """Pairs drawn again, also the other way round, count once; right ones do not count; the worst comes first."""
    pairs = Pairs(np.array([0, 1, 0, 2, 4, 4, 1]), np.array([1, 0, 1, 3, 5, 5, 3]),
                  np.array([True, True, True, True, False, False, False]))
    scores = np.array([0.2, 0.2, 0.2, 0.1, 0.9, 0.9, 0.3])
    assert figures.worst(pairs, scores, 0.5, True) == [3, 0] and figures.worst(pairs, scores, 0.5, False) == [4]
    assert figures.worst(pairs, scores, 0.05, True) == [] and figures.worst(pairs, scores, 0.95, False) == []
    images = np.zeros((6, 8, 8, 1), "uint8")
    figures.mistakes(str(tmp_path), images, pairs, scores, [f"class{n}" for n in range(6)], 0.95)
    assert (tmp_path / "mistakes.png").is_file()


@pytest.mark.parametrize("deep", [2, 4])
@pytest.mark.parametrize("height, width", [(8, 8), (8, 20), (20, 8)])
def test_the_pictures_of_a_mistake_are_nearest_to_each_other(height, width, deep, monkeypatch):
    drawn = []
    monkeypatch.setattr(figures.figures, "save", lambda page, folder, name: drawn.append(page))
    monkeypatch.setattr(figures, "show_said", lambda axis, image, found, said: figures.figures.show(axis, image))
    rows = np.arange(8)
    pairs, scores = Pairs(2 * rows, 2 * rows + 1, rows < 4), np.linspace(0.1, 0.9, 8)
    explain = (lambda left, right: SimpleNamespace(left=0, right=0)) if deep == 4 else None
    figures.mistakes("", np.zeros((16, height, width, 1), "uint8"), pairs, scores, ["a/b"] * 16, 0.5, explain)
    page = drawn[0]
    page.draw_without_rendering()
    shown = [axis for axis in page.axes if axis.images]
    boxes = [axis.images[0].get_window_extent() for axis in shown]
    lines = [[box for box, axis in zip(boxes, shown) if axis.get_subplotspec().rowspan.start == row]
             for row in range(2 * deep)]
    gaps = [above[0].y0 - below[0].y1 for above, below in zip(lines, lines[1:])]
    aside = lines[0][1].x0 - lines[0][0].x1
    assert 0 < max(gaps[::2]) < min(min(gaps[1::2]), aside) and gaps[deep - 1] == max(gaps)
    texts = [text.get_window_extent() for axis in shown for text in (axis.title, *axis.texts) if text.get_text()]
    assert not any(text.overlaps(box) for text in texts for box in [*boxes, page._suptitle.get_window_extent()])


def test_each_mistake_is_shown_with_what_speaks_for_it(tmp_path, rng, monkeypatch):
    drawn = []
    monkeypatch.setattr(figures, "show_said", lambda axis, image, found, said: drawn.append(said))
    samples, images = samples_of((4, 4, 4), rng)
    images[4:8] = images[:4]  # two classes that look alike
    report.write_verification(Comparer(), images, samples, np.arange(12), str(tmp_path), reasons=True)
    assert drawn and len(drawn) % 2 == 0 and all(np.isfinite(said).all() for said in drawn)
