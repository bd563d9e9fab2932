"""Two photos in, a decision and a homography out: turned, half as large, darker, from elsewhere, and of something
else."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter, map_coordinates

from tasks.patches import answer as room, figures, scene
from tasks.patches.describers import SIFT
from tasks.patches.scene import compare, needed, view
from utils.keypoints.geometry import transfer

# pixels of the photo -> pixels of its view from elsewhere
MATRIX = np.array([[0.9, -0.15, 40], [0.2, 0.95, -20], [2e-4, -1e-4, 1]])


def photo(seed=0, height=240, width=320):
    """Rectangles and spots of many sizes, (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), 120.0)
    for _ in range(250):
        y, x, h, w = *rng.integers(0, (height, width)), *rng.integers(4, 40, 2)
        image[y : y + h, x : x + w] = rng.uniform(0, 255, 3)
    return gaussian_filter(image, (0.8, 0.8, 0)).astype("uint8")


def seen(image, matrix):
    """The picture as a homography moves it."""
    x, y = np.meshgrid(np.arange(image.shape[1]), np.arange(image.shape[0]))
    points = transfer(np.linalg.inv(matrix), np.stack([x, y], -1).reshape(-1, 2)).reshape(*x.shape, 2)
    return np.stack([map_coordinates(image[..., c], (points[..., 1], points[..., 0]), order=1, mode="reflect")
                     for c in range(3)], -1)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of one photo and what became of it, by name."""
    root = tmp_path_factory.mktemp("photos")
    image = Image.fromarray(photo())
    made = {
        "photo": image, "turned": image.rotate(90, expand=True), "half": image.resize((160, 120), Image.Resampling.BOX),
        "darker": image.point(lambda value: value * 0.5), "grey": image.convert("L"), "elsewhere":
        Image.fromarray(seen(photo(), MATRIX)),
        "other": Image.fromarray(photo(1)), "flat": Image.new("RGB", (200, 100), "white"),
    }
    for name, picture in made.items():
        picture.save(root / f"{name}.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise, which undoes this turn
    image.rotate(90, expand=True).save(root / "exif.jpg", quality=95, exif=exif)
    return {path.stem: str(path) for path in root.iterdir()}


@pytest.mark.parametrize("factor", [1.08, 1.2, 1.53])
def test_a_large_photo_is_made_smaller_without_dropping_or_doubling_rows(factor, tmp_path, monkeypatch):
    """A ramp stays one: its steps are equal, whatever the factor; of rows taken whole they are unequal."""
    side = round(60 * factor)
    slope = 250 // side  # whole levels a row
    ramp = (slope * np.arange(side)).astype("uint8")
    Image.fromarray(np.repeat(ramp[:, None], side, axis=1)).save(tmp_path / "ramp.png")
    monkeypatch.setattr(scene, "MOST_PIXELS", 60 * 60)
    monkeypatch.setattr(figures, "SIDE", 60)
    for small in (view(str(tmp_path / "ramp.png"), SIFT, 10).photo, figures.thumbnail(str(tmp_path / "ramp.png"))[0]):
        assert small.shape[:2] == (60, 60)
        steps = np.diff(small.reshape(60, 60, -1)[3:-3, 30, 0].astype(float))
        assert np.abs(steps - slope * side / 60).max() < 1.3  # of which rounding to whole levels is 1


def options(**changes):
    return SimpleNamespace(**{"descriptor": "sift", "model": "", "geometry": "homography", "homography": False,
                              "keypoints": [],
                              "most_keypoints": 2000, "ratio": 0.8, "tolerance": 3.0, "figure": False, "json": True,
                              "csv": "", **changes})


def answered(capsys, files, **changes):
    room.answer(options(**changes), files)
    lines = capsys.readouterr().out.splitlines()
    return lines, json.loads(lines[-1])


EXPECTED = {  # the photo's pixels in each of the others
    "turned": [[0, 1, 0], [-1, 0, 319], [0, 0, 1]], "half": [[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]],
    "darker": np.eye(3), "grey": np.eye(3), "exif": np.eye(3), "elsewhere": MATRIX,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_same_photo_is_recognised_and_found_in_the_other(name, files):
    a, b = (view(files[one], SIFT, 2000) for one in ("photo", name))
    scene = compare(a, b, 0.8, 3.0)
    assert scene.same and scene.inliers.mean() > 0.6
    corners = np.array([[20, 20], [300, 20], [300, 220], [20, 220]])
    moved = transfer(scene.matrix, corners) - transfer(np.array(EXPECTED[name], float), corners)
    assert np.linalg.norm(moved, axis=1).max() < 1.5


def test_other_photos_do_not_agree_and_that_is_no_error(files, capsys):
    for name in ("other", "flat"):
        lines, result = answered(capsys, [files["photo"], files[name]])
        assert list(result) == ["keypoints", "matches", "inliers", "homography", "same", "reason"]
        assert not result["same"] and result["homography"] is None and lines[-2] == f"no agreement: {result['reason']}"
    assert result["keypoints"][1] == result["matches"] == 0


def overlaid(name, image):
    """A photo (H, W, 3) with what is laid over photos: a PIL image."""
    picture = Image.fromarray(image.astype("uint8"))
    width, height = picture.size
    layer = Image.new("RGBA", (width, height + 60 * (name == "frame")))
    pen = ImageDraw.Draw(layer)

    def write(x, y, text, size, fill):
        pen.text((x, y), text, font=ImageFont.load_default(size=size), fill=fill)

    if name == "caption":
        pen.rectangle((0, height - 36, width, height), fill=(20, 20, 20, 255))
        write(6, height - 34, "Summer Festival 2024 - J. Miller", 15, "white")
        write(6, height - 16, "All rights reserved, Town Press 77", 13, "white")
    elif name == "frame":
        framed = Image.new("RGB", layer.size, "white")
        framed.paste(picture, (0, 30))
        picture = framed
        write(6, 4, "garden_friends_42 - follow", 17, "black")
        write(6, height + 34, "1,284 likes, all 96 comments", 17, "black")
    elif name == "watermark":
        for y in range(10, height, 55):
            write(y % 40, y, "stockphoto.example no. 57", 22, (255, 255, 255, 150))
    elif name == "stamp":
        write(width - 190, height - 30, "2023/08/17 14:52:36", 19, (255, 150, 30, 255))
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def laid_over(name, image, other):
    """The scene of two photos (H, W, 3), the same laid over both."""
    return compare(*(view(overlaid(name, one), SIFT, 2000) for one in (image, other)), 0.8, 3.0)


@pytest.mark.parametrize("name", ["caption", "frame", "watermark", "stamp"])
def test_what_is_laid_over_other_photos_is_no_scene_and_hides_none(name):
    for seed in (1, 2, 3):
        assert not laid_over(name, photo(), photo(seed)).same
    assert laid_over(name, photo(), photo()).same
    moved = laid_over(name, photo(), seen(photo(), MATRIX))
    assert moved.same and np.linalg.norm(transfer(moved.matrix, [[100, 80]]) - transfer(MATRIX, [[100, 80]])) < 40


def test_a_caption_is_told_with_its_reason(capsys, tmp_path):
    for number in (0, 1):
        overlaid("caption", photo(number)).save(tmp_path / f"{number}.png")
    lines, result = answered(capsys, [str(tmp_path / "0.png"), str(tmp_path / "1.png")])
    assert not result["same"] and result["homography"] is None and result["inliers"] > 10
    assert ("they agree only in a part of " in result["reason"]
            and result["reason"].endswith(": a caption, a frame or a watermark?"))
    assert lines[-2] == f"not the same scene: {result['reason']}"


def test_a_scene_from_a_tripod_stays_one_where_much_else_has_come(capsys):
    """All that agrees stands still; a third of the picture shows something else."""
    changed = photo()
    changed[:, :110] = photo(1)[:, :110]
    scene = compare(*(view(Image.fromarray(one), SIFT, 2000) for one in (photo(), changed)), 0.8, 3.0)
    assert scene.same and scene.reason == "" and 0.4 < scene.alike / scene.places < 0.9


def test_the_answer_tells_all(files, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines, result = answered(capsys, [files["photo"], files["elsewhere"]], csv=str(tmp_path / "matches.csv"),
                             figure=True)
    assert result["same"] and len(result["keypoints"]) == 2 and np.shape(result["homography"]) == (3, 3)
    assert f"the same scene: {result['inliers']} of {result['matches']} matches agree on one plane" in lines
    assert (tmp_path / "matches.png").stat().st_size > 10_000
    rows = list(csv.DictReader((tmp_path / "matches.csv").open()))
    assert len(rows) == result["matches"] and sum(row["agrees"] == "1" for row in rows) == result["inliers"]
    a, b = (np.array([[float(row[f"x_{side}"]), float(row[f"y_{side}"])] for row in rows if row["agrees"] == "1"])
            for side in "ab")
    assert np.linalg.norm(transfer(np.array(result["homography"]), a) - b, axis=1).max() < 3.01


def test_the_homography_alone(files, capsys):
    room.answer(options(homography=True, json=False), [files["photo"], files["half"]])
    lines = capsys.readouterr().out.splitlines()
    assert np.allclose(np.array([line.split() for line in lines], float), EXPECTED["half"], atol=0.5)
    room.answer(options(homography=True, json=False, geometry="similarity"), [files["photo"], files["other"]])
    assert capsys.readouterr().out == "none\n"


def test_a_folder_and_several_photos_are_compared_with_the_first(files, capsys, tmp_path):
    for name in ("half", "other"):
        (tmp_path / f"{name}.png").write_bytes(open(files[name], "rb").read())
    lines, result = answered(capsys, [files["photo"], str(tmp_path), files["darker"]], csv=str(tmp_path / "m.csv"))
    said = [(row["photo"].split("/")[-1], row["same"]) for row in result["results"]]
    assert said == [("half.png", True), ("other.png", False), ("darker.png", True)]
    (tmp_path / "a broken one.png").write_bytes(b"none")
    lines, result = answered(capsys, [files["photo"], str(tmp_path), files["darker"]], csv=str(tmp_path / "n.csv"))
    assert [(row["photo"].split("/")[-1], row["same"]) for row in result["results"]] == said
    assert "a broken one.png: not an image" in result["problems"][0] and (tmp_path / "n.csv").is_file()
    assert any("left out 1 photo" in line for line in lines)
    with pytest.raises(ValueError, match="a broken one.png: not an image"):
        room.answer(options(), [files["photo"], str(tmp_path / "a broken one.png")])
    with pytest.raises(ValueError, match="received 1 photo, expected two or more"):
        room.answer(options(), [files["photo"]])
    with pytest.raises(ValueError, match="a folder, expected the photo that all others are compared with"):
        room.answer(options(), [str(tmp_path), files["photo"]])


def test_key_points_from_elsewhere(files, capsys, tmp_path):
    """The detector's own key points, turned into a CSV, give the same answer."""
    _, own = answered(capsys, [files["photo"], files["darker"]])
    paths = []
    for name in ("photo", "darker"):
        points = view(files[name], SIFT, 2000).keypoints
        paths.append(tmp_path / f"{name}.csv")
        np.savetxt(paths[-1], np.column_stack([points.xy, points.size, points.angle]), delimiter=",",
                   header="x,y,size,angle", comments="")
    _, again = answered(capsys, [files["photo"], files["darker"]], keypoints=[str(path) for path in paths])
    assert again["keypoints"] == own["keypoints"] and abs(again["inliers"] - own["inliers"]) <= 3
    with pytest.raises(ValueError, match="2 files for 3 photos"):
        room.answer(options(keypoints=["a", "b"]), [files["photo"], files["darker"], files["half"]])


def test_how_many_must_agree_grows_with_the_matches_and_the_tolerance():
    counts = [needed(count, 2e-4, 4) for count in (3, 10, 50, 300, 3000)]
    assert counts[0] == 5 and counts == sorted(counts) and counts[-1] < 60
    assert needed(50, 2e-4, 4) < needed(50, 2e-3, 4) and needed(50, 2e-4, 2) < needed(50, 2e-4, 4)
    assert needed(50, 1.0, 4) == 51  # nothing tells where everything agrees


def test_matches_without_meaning_are_no_scene():
    """Of places drawn by chance, never so many agree that it is called a scene."""
    from utils.keypoints.geometry import ransac

    for seed in range(20):
        a, b = np.random.default_rng(seed).uniform(0, (480, 320), (2, 30, 2))
        assert ransac(a, b, seed=seed).inliers.sum() < needed(30, np.pi * 9 / (480 * 320), 4)
