"""Duplicates of several folders: what can go, a reference that never goes, the list for other programs, and moving."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageDraw, ImageEnhance
from sklearn.datasets import load_sample_images

from apps.search import answer, flags as search_flags
from apps.search.clearing import answer as clearing, folders
from apps.search.duplicates import Found, Group, Member
from nets.models import siamese
from tasks.similarity import model as similarity_model
from utils.gallery import Gallery

from helpers import ROOT, picture, questions, small_siamese


@pytest.fixture(scope="module")
def photos():
    """Two photos, 300 x 200."""
    return [Image.fromarray(values).resize((300, 200), Image.Resampling.LANCZOS) for values in
            load_sample_images().images]


@pytest.fixture
def asked(tmp_path, monkeypatch, capsys):
    """A function that asks for duplicates as predict.py does: the JSON answer and the text."""
    monkeypatch.chdir(tmp_path)

    def ask(*roots, model="photos", **given):
        options = questions(duplicates=[str(root) for root in roots], model=model, cropped=False, **given)
        search_flags.check(options)
        answer.answer(options, [])
        text = capsys.readouterr().out
        return json.loads(text.splitlines()[-1]), text

    return ask


def save(photo, path, **given):
    os.makedirs(path.parent, exist_ok=True)
    photo.save(path, **given)


def test_copies_in_three_folders(photos, asked, tmp_path):
    """Each folder holds nothing twice; together they do."""
    for folder, name, side in (("a", "china.png", 300), ("b", "small.jpg", 200), ("c", "smaller.jpg", 150)):
        save(photos[0].resize((side, side * 2 // 3)), tmp_path / folder / name)
    save(photos[1], tmp_path / "b" / "flower.png")
    result, text = asked("a", "b", "c")
    assert result["groups"] == [["a/china.png", "b/small.jpg", "c/smaller.jpg"]]
    assert result["can_go"] == ["b/small.jpg", "c/smaller.jpg"] and "what can go: 2 files, 0.0 MB" in text
    assert result["details"][0]["keep"] == "a/china.png" and not asked("b")[0]["groups"]


def test_what_is_of_the_reference_never_goes(photos, asked, tmp_path):
    """Of equals the reference stays, though its path comes last; of its worse picture the better one stays too."""
    save(photos[0], tmp_path / "new" / "china.png")
    save(photos[1], tmp_path / "new" / "flower.png")
    save(photos[1].resize((150, 100)), tmp_path / "new" / "flower small.png")
    save(photos[0], tmp_path / "reference" / "archive" / "china.png")
    save(photos[1].resize((150, 100)), tmp_path / "reference" / "archive" / "flower.png")
    save(photos[1].resize((150, 100)), tmp_path / "reference" / "archive" / "twice.png")
    result, text = asked("new", reference=["reference"])
    assert sorted(result["can_go"]) == ["new/china.png", "new/flower small.png"]
    keeps = {group["keep"] for group in result["details"]}
    assert keeps == {"reference/archive/china.png", "new/flower.png"} and "of the reference: it stays" in text
    assert sorted(asked("new", "reference")[0]["can_go"]) == [
        "new/flower small.png", "reference/archive/china.png", "reference/archive/flower.png",
        "reference/archive/twice.png"]


def test_a_reference_within_a_folder_and_a_group_of_the_reference_alone(photos, asked, tmp_path):
    save(photos[0], tmp_path / "all" / "best" / "z.png")
    save(photos[0], tmp_path / "all" / "best" / "zz.jpg", quality=70)
    assert not asked("all", reference=["all/best"])[0]["groups"]
    save(photos[0], tmp_path / "all" / "a.png")
    result, _ = asked("all", reference=["all/best"])
    assert result["can_go"] == ["all/a.png"] and result["details"][0]["keep"] == "all/best/z.png"


def test_what_the_reference_links_to_never_goes(photos, asked, tmp_path):
    save(photos[0], tmp_path / "a" / "a.png")
    save(photos[0], tmp_path / "a" / "b.png")
    os.makedirs(tmp_path / "reference")
    os.symlink(tmp_path / "a" / "b.png", tmp_path / "reference" / "link.png")
    result, _ = asked("a", reference=["reference"])
    assert result["can_go"] == ["a/a.png"] and len(result["groups"][0]) == 2


def test_a_file_in_two_of_the_folders_is_no_copy_of_itself(photos, asked, tmp_path):
    save(photos[0], tmp_path / "a" / "b" / "china.png")
    os.link(tmp_path / "a" / "b" / "china.png", tmp_path / "hard.png")
    os.makedirs(tmp_path / "c")
    os.rename(tmp_path / "hard.png", tmp_path / "c" / "hard.png")
    assert asked("a", "a/b", "a", "c")[0]["can_go"] == []


def test_what_the_program_says_must_stay_is_never_listed(photos, asked, tmp_path):
    """A shot of another second by EXIF, a copy in other colours, and what shows more than the picture to keep."""
    for name, second, light in (("first.jpg", "01", 1.0), ("second.jpg", "02", 0.7)):
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif)[0x9003] = f"2026:11:29 10:00:{second}"
        save(ImageEnhance.Brightness(photos[0]).enhance(light), tmp_path / "a" / name, quality=95, exif=exif)
    save(photos[1], tmp_path / "b" / "flower.png")
    save(photos[1].convert("L"), tmp_path / "a" / "grey.png")
    result, _ = asked("a", "b", print0="list", move_to="gone", yes=True)
    assert sorted(map(len, result["groups"])) == [2, 2] and result["can_go"] == [] == result["moved"]
    assert (tmp_path / "list").read_bytes() == b"" and not (tmp_path / "gone").exists()


def test_a_file_with_further_frames_never_goes_for_its_first_one(photos, asked, tmp_path):
    """But for a file of the same contents it does."""
    save(photos[0], tmp_path / "a" / "china.png")
    small, other = (photo.resize((150, 100)) for photo in photos)
    save(small, tmp_path / "a" / "frames.png", save_all=True, append_images=[other])
    save(small, tmp_path / "a" / "frame.png")
    result, text = asked("a")
    assert len(result["groups"][0]) == 3 and result["can_go"] == ["a/frame.png"]
    assert "frames.png  (copy that shows or holds more, or a photo of its own: keep it too)" in text
    (tmp_path / "a" / "same.png").write_bytes((tmp_path / "a" / "frames.png").read_bytes())
    assert len(asked("a")[0]["can_go"]) == 2


def test_without_a_proof_only_identical_files_go(photos, asked, tmp_path):
    save(photos[0], tmp_path / "a" / "china.jpg", quality=95)
    save(photos[0], tmp_path / "a" / "jpeg.jpg", quality=50)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "same.jpg").write_bytes((tmp_path / "a" / "china.jpg").read_bytes())
    result, _ = asked("a", "b", proof=False)
    assert len(result["groups"][0]) == 3 and result["can_go"] == ["b/same.jpg"]
    assert asked("a", reference=["b"], proof=False)[0]["can_go"] == ["a/china.jpg"]


def test_dry_run_move_and_undo(asked, tmp_path, monkeypatch, capsys):
    made = small_siamese()
    loaded = similarity_model.Loaded(siamese.comparer(made), (32, 32, 1), 0.9, str(tmp_path / "model.keras"), None)
    made.save(loaded.path)
    monkeypatch.setattr(similarity_model, "load", lambda options, pictures: loaded._replace(threshold=1.0))
    for number in range(3):
        picture(tmp_path / "a" / f"{number}.png", (80 * number, 90, 30), seed=number)
    os.makedirs(tmp_path / "b")
    for number in (0, 2):
        (tmp_path / "b" / f"{number}.png").write_bytes((tmp_path / "a" / f"{number}.png").read_bytes())
    result, text = asked("a", "b", model="", move_to="gone")
    assert result["would_move"] == [{"from": f"b/{number}.png", "to": f"gone/{number}.png"} for number in (0, 2)]
    assert "nothing was moved: 2 files would be; pass --yes" in text and not (tmp_path / "gone").exists()
    assert len(list(tmp_path.glob("b/*.png"))) == 2
    result, text = asked("a", "b", model="", move_to="gone", yes=True)
    assert [row["to"] for row in result["moved"]] == ["gone/0.png", "gone/2.png"] and not list(tmp_path.glob("b/*.png"))
    assert f"--undo={result['log']} brings them back" in text
    answer.answer(questions(undo=result["log"]), [])
    assert "2 files of 2 are at the old place" in capsys.readouterr().out and len(list(tmp_path.glob("b/*.png"))) == 2


@pytest.mark.parametrize("reference", ["new", "new/../new", "."])
def test_a_folder_that_lies_in_its_reference_is_refused(reference, photos, asked, tmp_path):
    """Nothing of it would be compared, and "no copies" would be said of copies."""
    save(photos[0], tmp_path / "new" / "china.png")
    save(photos[0].resize((150, 100)), tmp_path / "new" / "small.png")
    with pytest.raises(ValueError, match="^new/? lies in the reference .*, whose pictures are not compared"):
        asked("new", reference=[reference])


def test_a_picture_in_cie_lab_is_a_copy_like_others(photos, asked, tmp_path):
    save(photos[0], tmp_path / "a" / "china.png")
    save(photos[0].convert("LAB"), tmp_path / "a" / "lab.tiff")
    assert len(asked("a")[0]["groups"][0]) == 2


def test_a_copy_of_a_copy_names_the_picture_that_stays():
    """A twin of a file that goes cannot count on that file."""
    group = Group("keep", [Member("keep", 1.0, "", False, 1.0), Member("same", 1.0, "keep", True, 1.0),
                           Member("copy", 1.0, "", True, 0.9), Member("twin", 1.0, "copy", True, 1.0),
                           Member("more", 1.0, "", False, 0.9), Member("twin of more", 1.0, "more", True, 1.0)])
    paths = [member.file for member in group.members]
    opened = Gallery("root", paths, np.zeros((6, 1)), 0, [f"{path:41}" for path in paths])
    goings = clearing.what_can_go(folders.Folders(opened), Found([group], 0.0, False))
    assert [(going.file, going.keep) for going in goings] == [
        ("root/same", "root/keep"), ("root/copy", "root/keep"), ("root/twin", "root/keep"),
        ("root/twin of more", "root/more")]
    assert all(len(going.sha1) == 40 for going in goings)


@pytest.mark.parametrize("given, says", [
    ({"reference": ["b"]}, "--reference has no effect without --duplicates: leave --reference out"),
    ({"print0": "x"}, "--print0 has no effect without --duplicates"),
    ({"move_to": "x"}, "--move_to has no effect without --duplicates"),
    ({"index": "faiss", "duplicates": ["a"]}, "--index has no effect without --gallery"),
    ({"top": 3, "pairs": "x"}, "--top has no effect without --gallery"),
    ({"cropped": False, "pairs": "x"}, "--cropped has no effect without --duplicates or --between"),
    ({"proof": False, "matrix": "x"}, "--noproof have no effect with --matrix"),
    ({"duplicates": ["a"], "yes": True}, "--yes has no effect without --move_to=DIR"),
    ({"duplicates": ["a"], "print0": "-", "json": True}, "pass --print0=FILE, or leave one out"),
])
def test_flags_that_do_not_belong_together(given, says):
    with pytest.raises(ValueError, match=says):
        search_flags.check(questions(**{"json": False} | given), chosen=given.__contains__)


def test_the_list_can_be_piped(photos, tmp_path):
    """Names with blanks and line ends reach the other program whole, and nothing else does."""
    odd = "b\nb é.png"
    for name in ("a.png", odd):
        save(photos[0], tmp_path / "my photos" / name)
    done = subprocess.run([sys.executable, str(ROOT / "predict.py"), "--duplicates=my photos", "--print0=-",
                           "--nofigure", "--model=photos"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == os.fsencode(tmp_path.resolve() / "my photos" / odd) + b"\0"
    assert b"what can go: 1 file" in done.stderr


def test_between_counts_copies_with_changes_by_themselves(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for number, photo in enumerate(photos):
        save(photo, tmp_path / "old" / f"{number}.png")
    save(photos[0].resize((200, 133)), tmp_path / "new" / "small.png")
    written = photos[1].copy()
    ImageDraw.Draw(written).rectangle((40, 60, 160, 110), fill="white")
    save(written, tmp_path / "new" / "written.png")
    answer.answer(questions(between=["new", "old"], model="photos", cropped=False), [])
    text = capsys.readouterr().out
    assert "2 of 2 pictures in new are in old too: 0 identical files, 1 copy, 1 copy with changes" in text
