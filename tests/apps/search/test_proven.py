"""Duplicates that are proved: groups of copies, what may go, copies with changes apart, and look-alikes in no group."""

import json
import sys

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageDraw, ImageEnhance, ImageFont
from sklearn.datasets import load_sample_images

import compare
import predict
from apps.search import proven, views
from tasks.choosing import find_model
from tasks.similarity.model import open_model
from utils import gallery


@pytest.fixture(scope="module")
def ready():
    """The ready model of photos."""
    return open_model(find_model("photos"))[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two photos, eight copies of the first, one written on; and four chats of one layout with other texts."""
    root = tmp_path_factory.mktemp("phone")
    china, flower = (Image.fromarray(values).resize((480, 320), Image.Resampling.LANCZOS)
                     for values in load_sample_images().images)
    china.save(root / "china.png")
    flower.save(root / "flower.png")
    china.save(root / "jpeg.jpg", quality=40)
    china.resize((240, 160)).save(root / "half.png")
    china.crop((24, 16, 456, 304)).save(root / "crop.png")
    china.reduce(8).resize((480, 320), Image.Resampling.BICUBIC).save(root / "enlarged.png")
    china.crop((200, 120, 440, 280)).save(root / "corner.png")
    china.transpose(Image.Transpose.ROTATE_90).save(root / "turned.png")
    (root / "again.png").write_bytes((root / "china.png").read_bytes())
    written = flower.copy()
    ImageDraw.Draw(written).text((60, 120), "SALE", font=ImageFont.load_default(60), fill="white")
    written.save(root / "written.png")
    for number in range(4):
        chat(number).save(root / f"chat{number}.png")
    return root


def chat(seed: int) -> Image.Image:
    """A screenshot of messages that the seed draws."""
    rng, picture = np.random.default_rng(seed), Image.new("RGB", (270, 585), (236, 229, 221))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    pen.rectangle((0, 0, 270, 45), fill=(7, 94, 84))
    for row in range(9):
        left = int(rng.choice([10, 80]))
        pen.rectangle((left, 60 + 55 * row, left + 175, 100 + 55 * row),
                      fill="white" if left == 10 else (220, 248, 198))
        words = " ".join(rng.choice("hello when where home late train seven eight sorry yes no maybe".split(), 4))
        pen.text((left + 8, 68 + 55 * row), words, fill=(30, 30, 30), font=font)
    return picture


def test_groups(ready, folder):
    opened = gallery.open_gallery(str(folder), ready.path, ready.compare, ready.shape)
    seen = views.open_views(opened, ready.path, ready.compare, ready.shape)
    found = proven.find(opened, ready.compare, ready.threshold, seen=seen)
    assert len(found.groups) == 1
    group = found.groups[0]
    assert group.keep in ("china.png", "again.png", "turned.png")
    assert {member.file for member in group.members} == {"china.png", "again.png", "jpeg.jpg", "half.png", "crop.png",
                                                         "enlarged.png", "corner.png", "turned.png"}
    assert all(member.goes for member in group.members if member.file != group.keep) and not group.members[0].goes
    changed = {(pair.a, pair.b) for pair in found.changed}
    assert ("flower.png", "written.png") in changed
    assert not any("chat" in file for member in group.members for file in (member.file,))


def test_a_copy_that_shows_more_stays(ready, tmp_path):
    photo = Image.fromarray(load_sample_images().images[0]).resize((480, 320), Image.Resampling.LANCZOS)
    photo.crop((0, 0, 400, 320)).save(tmp_path / "left.png")
    photo.crop((80, 0, 480, 320)).save(tmp_path / "right.png")
    opened = gallery.open_gallery(str(tmp_path), ready.path, ready.compare, ready.shape)
    found = proven.find(opened, ready.compare, 0.5)
    for group in found.groups:
        assert not any(member.goes for member in group.members)


def test_a_series_from_one_standpoint_stays(ready, tmp_path):
    """The camera says that the darker one is another photo; of a darker copy without a word of it one can go."""
    photo = Image.fromarray(load_sample_images().images[0]).resize((480, 320), Image.Resampling.LANCZOS)
    for folder, seconds in (("series", ("01", "02")), ("copies", ("01", "01"))):
        (tmp_path / folder).mkdir()
        for name, second, light in zip(("a.jpg", "b.jpg"), seconds, (1.0, 0.7)):
            exif = Image.Exif()
            exif.get_ifd(ExifTags.IFD.Exif)[0x9003] = f"2026:11:29 10:00:{second}"
            ImageEnhance.Brightness(photo).enhance(light).save(tmp_path / folder / name, quality=95, exif=exif)
        opened = gallery.open_gallery(str(tmp_path / folder), ready.path, ready.compare, ready.shape)
        (group,) = proven.find(opened, ready.compare, ready.threshold).groups
        assert sum(member.goes for member in group.members) == (folder == "copies")


def goes_and_stays(root, ready) -> tuple[list[str], list[str]]:
    """The files of the one group of a folder that can go, and those that stay."""
    opened = gallery.open_gallery(str(root), ready.path, ready.compare, ready.shape)
    (group,) = proven.find(opened, ready.compare, ready.threshold).groups
    return tuple(sorted(member.file for member in group.members if member.goes is wanted) for wanted in (True, False))


def test_two_shots_stay_where_a_third_picture_does_not_tell_when_it_was_taken(ready, tmp_path):
    photo = Image.fromarray(load_sample_images().images[0]).resize((480, 320), Image.Resampling.LANCZOS)
    for number, light in enumerate((1.0, 0.7)):
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif)[0x9003] = f"2026:11:29 10:00:0{number}"
        ImageEnhance.Brightness(photo).enhance(light).save(tmp_path / f"{number}.jpg", quality=90, exif=exif)
    photo.resize((960, 640), Image.Resampling.LANCZOS).save(tmp_path / "larger.png")  # would be kept
    assert goes_and_stays(tmp_path, ready)[1] == ["0.jpg", "1.jpg", "larger.png"]
    (tmp_path / "larger.png").unlink()
    with Image.open(tmp_path / "0.jpg") as first:
        first.save(tmp_path / "same pixels.png", exif=Image.Exif())
    assert goes_and_stays(tmp_path, ready) == (["same pixels.png"], ["0.jpg", "1.jpg"])


def test_what_a_file_holds_beside_its_picture_stays(ready, tmp_path):
    """Transparency and 16 bits cannot be got back from a flat picture of 8 bits."""
    photo = Image.fromarray(load_sample_images().images[0]).resize((480, 320), Image.Resampling.LANCZOS)
    cut = photo.copy()
    cut.putalpha(Image.new("L", cut.size, 255))
    ImageDraw.Draw(cut).rectangle((0, 0, 60, 60), fill=(0, 0, 0, 0))
    flat = Image.alpha_composite(Image.new("RGBA", cut.size, "white"), cut).convert("RGB")
    values = np.asarray(photo.convert("L"), "uint16") * 257
    deep = values + np.random.default_rng(0).integers(-100, 100, values.shape)
    deep = np.clip(deep, 0, 65535).astype("uint16")
    for name, rich, poor in (("alpha", cut, flat), ("deep", Image.fromarray(deep), Image.fromarray(
            np.rint(deep / 257).astype("uint8")))):
        (tmp_path / name).mkdir()
        rich.save(tmp_path / name / "rich.png")
        poor.save(tmp_path / name / "poor.png")
        assert goes_and_stays(tmp_path / name, ready) == (["poor.png"], ["rich.png"])
        poor.resize((960, 640), Image.Resampling.LANCZOS).save(tmp_path / name / "larger.png")
        assert "rich.png" in goes_and_stays(tmp_path / name, ready)[1]


def test_what_is_in_another_folder(ready, folder, tmp_path):
    china = Image.open(folder / "china.png")
    china.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "mirrored.png")
    chat(99).save(tmp_path / "chat.png")
    china.crop((0, 140, 240, 300)).save(tmp_path / "corner.png")
    a, b = (gallery.open_gallery(str(root), ready.path, ready.compare, ready.shape) for root in (tmp_path, folder))
    seen = [views.open_views(opened, ready.path, ready.compare, ready.shape) for opened in (a, b)]
    rows = proven.between(a, b, ready.compare, ready.threshold, seen)
    assert [row["file"] for row in rows if row["verdict"] == "copy"] == ["mirrored.png", "corner.png"]


def test_predict_says_what_differs(folder, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    answers = {}
    for a, b in (("china.png", "half.png"), ("flower.png", "written.png"), ("chat0.png", "chat1.png"),
                 ("china.png", "flower.png")):
        answers[a, b] = ask([str(folder / a), str(folder / b)], monkeypatch, capsys)
    assert [found["verdict"] for found in answers.values()][:2] == ["copy", "copy with changes"]
    assert [found["same"] for found in answers.values()] == [True, False, False, False]
    places = answers["flower.png", "written.png"]["proof"]["places"]
    assert any(40 < place["left"][0] < 120 and place["left"][1] > 90 for place in places)
    assert (tmp_path / "predict.png").stat().st_size > 1000


def test_every_tab_proves(folder):
    """Two chats of one layout are almost the same to the embedding."""
    from apps.page import models
    from apps.page.asked import Asked
    from tasks.similarity.apps import tabs

    answering = models.Models(compare.load)
    for tab in (tabs.same, tabs.why):
        files = {"first": [str(folder / "chat0.png")], "second": [str(folder / "chat1.png")]}
        answer = tab(answering, Asked(str(folder), {"model": "photos"}, files))
        assert answer["similarity"] > 0.99 and answer["same"] is False and answer["proof"].verdict != "copy"


def test_without_a_proof_there_is_a_warning(folder, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = ask(["--noproof", str(folder / "chat0.png"), str(folder / "chat1.png")], monkeypatch, capsys)
    assert found["same"] and "layout" in found["warning"] and "verdict" not in found


def test_a_gallery_and_duplicates_tell_copies_from_look_alikes(folder, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = ask([f"--gallery={folder}", str(folder / "chat0.png")], monkeypatch, capsys)["results"]
    assert len(found) == 10 and not [row["file"] for row in found if row["same"]]  # the query is no answer to itself
    found = ask([f"--gallery={folder}", str(folder / "half.png")], monkeypatch, capsys)["results"]
    assert "half.png" not in {row["file"] for row in found} and {"china.png", "again.png"} <= {
        row["file"] for row in found if row["same"]}
    found = ask([f"--duplicates={folder}"], monkeypatch, capsys)
    assert len(found["groups"]) == 1 and not [file for file in found["groups"][0] if "chat" in file]
    assert any({pair["left"], pair["right"]} == {"flower.png", "written.png"} for pair in found["changed"])
    assert {"duplicates.png", "changed.png"} <= {path.name for path in tmp_path.iterdir()}


def test_pairs_are_proved_too(folder, monkeypatch, capsys, tmp_path):
    """Chats of one layout are almost the same to the embedding, and no copies; --noproof has it alone."""
    monkeypatch.chdir(tmp_path)
    (folder / "list.csv").write_text("china.png,half.png,1\nchat0.png,chat1.png,0\nchat1.png,chat2.png,0\n"
                                     "flower.png,written.png,0\n")
    try:
        found = ask([f"--pairs={folder / 'list.csv'}"], monkeypatch, capsys)
        alone = ask([f"--pairs={folder / 'list.csv'}", "--noproof"], monkeypatch, capsys)
    finally:
        (folder / "list.csv").unlink()
    assert [row["same"] for row in found["results"]] == [True, False, False, False]
    assert found["results"][3]["verdict"] == "copy with changes" and found["measured"]["accuracy"] == 1
    assert alone["measured"]["accuracy"] < 1 and "layout" in alone["warning"] and "verdict" not in alone["results"][0]


def test_other_colours_are_said_wherever_copies_are(ready, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    photo = Image.fromarray(load_sample_images().images[1]).resize((480, 320), Image.Resampling.LANCZOS)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    photo.save(tmp_path / "a" / "photo.png")
    photo.convert("L").save(tmp_path / "b" / "grey.png")
    (tmp_path / "list.csv").write_text("a/photo.png,b/grey.png\n")
    for question in (["--between=a,b"], ["--gallery=b", "a/photo.png"], ["--pairs=list.csv"]):
        (row,) = ask(question, monkeypatch, capsys)["results"]
        assert (row["verdict"], row["other_colour"]) == ("copy", True), question


def ask(files, monkeypatch, capsys) -> dict:
    """What `predict.py --json` answers."""
    from absl import flags

    from utils.run import startup

    if "backend" not in flags.FLAGS:
        startup.define_flags()
    monkeypatch.setattr(sys, "argv", ["predict.py", "--json", "--model=photos", *files])
    flags.FLAGS.unparse_flags()
    left = flags.FLAGS(sys.argv)
    predict.check()
    predict.main(left)
    flags.FLAGS.unparse_flags()
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_copy_in_another_colour_never_goes_and_is_none_where_asked(tmp_path):
    """One cut in two colours: red and blue of a photo exchanged."""
    photo = Image.fromarray(load_sample_images().images[0]).resize((320, 213))
    photo.save(tmp_path / "a.png")
    Image.merge("RGB", photo.split()[::-1]).save(tmp_path / "b.png")
    photo.save(tmp_path / "c.jpg", quality=85)
    files = [str(tmp_path / name) for name in ("a.png", "b.png", "c.jpg")]
    looking = proven.Looking(files)
    assert looking.proof(0, 1).other_colour and not looking.goes(1, 0) and looking.goes(2, 0)
    assert proven.Looking(files, recoloured=False).proof(0, 1).verdict == "different"
    group = proven.Group("a.png", [proven.Member("a.png", 1.0, "", False), proven.Member("b.png", 0.9, "", False, 0.99,
                                                                                           True)])
    assert "b.png  (copy in another colour: keep it too)" in proven.in_words(0, group)[1]


def test_each_picture_is_read_once_however_the_groups_are_named(monkeypatch):
    """Sixty sets of six pictures, all pairs of each, under names that mix the sets: more than stay in memory."""
    reads = []
    monkeypatch.setattr(proven, "see", lambda path: reads.append(path) or path)
    monkeypatch.setattr(proven, "prove", lambda a, b, **_: proven.Proof(proven.DIFFERENT, f"{a} {b}"))
    monkeypatch.setattr(proven.os, "cpu_count", lambda: 1)
    names = np.random.default_rng(3).permutation(360).reshape(60, 6)
    pairs = sorted({(int(min(a, b)), int(max(a, b))) for row in names for a in row for b in row if a != b})
    assert sorted(proven.in_order(pairs)) == pairs and proven.in_order([]) == [] and len(names.ravel()) > proven.KEPT
    looking = proven.Looking([str(number) for number in range(360)])
    looking.at(pairs)
    assert len(reads) == 360 and {pair: proof.why for pair, proof in looking.proofs.items()} == {
        (a, b): f"{a} {b}" for a, b in pairs}
