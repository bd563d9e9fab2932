"""Figures of any run."""

import logging
import warnings

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from PIL import Image

from tasks.similarity import task as similarity
from utils.run import figures
from utils.sheets import fonts

NAMES = ["中文/图片.jpg", "caf\udce9.png", "\x1b[31mred.png", "$x$.png", "$\\frac{a$.png", "صورة.png",
         "two\nlines\x00.png",
         "\u202egnp.exe"]


def test_figures_are_written(tmp_path, rng):
    with open(tmp_path / "log.csv", "w") as file:
        file.write("epoch,loss,val_loss,val_accuracy,val_roc_auc,same_distance,different_distance\n0,1,1,.5,.5,1,1\n")
    figures.training_curves(str(tmp_path), [("validation", ["val_accuracy"]), ("none of these", ["order"])])
    figures.batch(str(tmp_path), rng.uniform(0, 255, (6, 8, 8, 1)), np.repeat([3, 1], 3), {3: "cats"})
    figures.compared(rng.uniform(0, 255, (8, 8, 3)), rng.uniform(0, 255, (8, 8, 3)), "same", str(tmp_path / "p.png"))
    for name in ("curves.png", "batch.png", "p.png"):
        assert (tmp_path / name).stat().st_size > 1000


@pytest.fixture
def saved(monkeypatch):
    """Every figure that is saved, drawn as it would be."""
    pages = []

    def keep(page, *where):
        figures.make_readable(page)
        page.draw_without_rendering()
        pages.append(page)

    for name in ("save", "save_beside_answer"):
        monkeypatch.setattr(figures, name, keep)
    return pages


@pytest.mark.parametrize("epochs", [1, 2, 3, 40])
def test_curves_have_whole_epochs_and_no_legend_over_them(epochs, tmp_path, saved):
    rows = [f"{epoch},{1 / (1 + epoch)},1,{epoch},1,{epoch % 7},0" for epoch in range(epochs)]
    (tmp_path / "log.csv").write_text("\n".join(["epoch,loss,val_loss,order,val_order,val_adjacent,val_across", *rows]))
    figures.training_curves(str(tmp_path), [("order", ["order", "val_order", "val_adjacent", "val_across"])])
    page = saved[0]
    for axis in page.axes:
        assert all(tick == round(tick) for tick in axis.get_xticks())
        legend = axis.get_legend().get_window_extent()
        assert (not legend.overlaps(axis.get_window_extent())
                and not legend.overlaps(axis.xaxis.label.get_window_extent()))


def test_losses_that_are_no_one_quantity_have_panels_of_their_own(tmp_path, saved):
    """Of similarity, val_loss is the cross-entropy of pairs, whatever is minimised; otherwise both stand together."""
    (tmp_path / "log.csv").write_text("epoch,loss,val_loss,val_accuracy\n0,4,.1,.9\n1,3.9,.1,.9\n")
    for panels in (similarity.CURVES, [("accuracy", ["val_accuracy"])]):
        figures.training_curves(str(tmp_path), panels)
    drawn = [{axis.get_title(): [line.get_label() for line in axis.lines] for axis in page.axes} for page in saved]
    first = {" ".join(title.split()): names for title, names in drawn[0].items()}
    assert first == {"loss": ["loss"], "cross-entropy of validation pairs, whatever the loss": ["val loss"],
                     "validation pairs": ["val accuracy"]}
    assert drawn[1] == {"loss": ["loss", "val loss"], "accuracy": ["val accuracy"]}


def test_names_that_no_font_can_draw_are_escaped(tmp_path, rng, caplog):
    """No warning, no formula, no control character; the rest of a name stays as it is."""
    images = [rng.integers(0, 255, (8, 8 + number, 3)) for number in range(len(NAMES))]
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        figures.contact_sheet(images, NAMES, str(tmp_path / "sheet.png"), heading="of caf\udce9 and $x$")
        figures.batch(str(tmp_path), np.stack([images[0]] * 4), np.arange(4), dict(enumerate(NAMES[:4])))
        figures.compared(images[0], images[1], "same", str(tmp_path / "p.png"), False, NAMES[:2])
    assert (tmp_path / "sheet.png").is_file() and not caplog.records
    assert fonts.drawable("caf\udce9 \x1b[31m \u202e $x$") == "caf\\udce9 \\x1b[31m \\u202e $x$"
    assert fonts.short("pictures/2024/two\nlines\udce9.png") == "…24/two\\nlines\\udce9.png"


def test_numbers_at_the_axes_stay_formulas(saved):
    page, ((axis,),) = figures.figure()
    axis.plot([1, 1000], [1, 1000], label="$name$")
    axis.set(xscale="log", title="$title$")
    axis.legend()
    figures.save(page, "", "")
    assert axis.get_xticklabels()[0].get_parse_math()
    assert not axis.title.get_parse_math() and not axis.get_legend().get_texts()[0].get_parse_math()


def test_a_font_that_has_the_letter_is_taken(tmp_path, saved):
    """A font with one Chinese letter, made here: it draws that letter, and others stay escaped."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 500), (500, 500), (500, 0)):
        pen.lineTo(point)
    pen.closePath()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", "one"])
    font.setupCharacterMap({ord("\U00020000"): "one"})
    font.setupGlyf(dict.fromkeys((".notdef", "one"), pen.glyph()))
    font.setupHorizontalMetrics(dict.fromkeys((".notdef", "one"), (600, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "One Letter", "styleName": "Regular"})
    font.setupOS2(usWeightClass=400)
    font.setupPost()
    font.save(tmp_path / "one.ttf")
    before = list(font_manager.fontManager.ttflist)
    caches = fonts.font_with, fonts.fonts
    try:
        font_manager.fontManager.addfont(tmp_path / "one.ttf")
        for cache in caches:
            cache.cache_clear()
        page, ((axis,),) = figures.figure()
        axis.set_title("a \U00020000 \U00020001")
        figures.save(page, "", "")
        assert axis.get_title() == "a \U00020000 \\U00020001" and axis.title.get_fontfamily()[-1] == "One Letter"
    finally:
        font_manager.fontManager.ttflist[:] = before
        for cache in caches:
            cache.cache_clear()


def test_a_batch_has_the_names_of_its_rows(saved, rng):
    figures.batch("", rng.uniform(0, 255, (5, 8, 8, 3)), np.array([7, 7, 2, 2, 4]),
                  {7: "cats", 2: "a long name of a class that needs more lines"})
    page = saved[0]
    assert ([axis.get_title("left") for axis in page.axes[::2]]
            == ["cats", "a long name of a class that needs\nmore lines", ""])
    for above, below in zip(page.axes[0:-2:2], page.axes[2::2]):
        assert not below.title.get_window_extent().overlaps(above.get_window_extent())


def test_a_figure_replaces_figures_of_this_program_and_no_other_file(tmp_path, monkeypatch, rng, capsys):
    """Both kinds, by Pillow and by matplotlib; a file that is no picture, a folder and a link to nothing stay too."""
    monkeypatch.chdir(tmp_path)
    pixels = rng.integers(0, 256, (8, 8, 3)).astype("uint8")
    Image.fromarray(pixels).save("predict.png")
    (tmp_path / "predict_figure1.png").write_text("notes")
    (tmp_path / "predict_figure2.png").mkdir()
    (tmp_path / "predict_figure3.png").symlink_to("nowhere")
    for _ in range(2):
        figures.compared(pixels, pixels, "same", "predict.png")
        figures.save_beside_answer(figures.figure()[0], "why.png")
    assert capsys.readouterr().out.count("figure: predict_figure4.png (predict.png is a file of yours and stays)") == 2
    assert np.array_equal(np.asarray(Image.open("predict.png")), pixels)
    assert {path.name for path in tmp_path.iterdir()} == {"predict.png", "why.png", *(
        f"predict_figure{number}.png" for number in range(1, 5))}


def test_in_the_folder_of_a_run_a_figure_has_its_name(tmp_path):
    (tmp_path / "mistakes.png").write_text("an older one")
    figures.contact_sheet([np.zeros((8, 8, 3), "uint8")], ["a"], str(tmp_path / "mistakes.png"))
    assert [path.name for path in tmp_path.iterdir()] == ["mistakes.png"]
    assert Image.open(tmp_path / "mistakes.png").width > 8
