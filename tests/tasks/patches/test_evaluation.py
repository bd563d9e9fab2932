"""Descriptors measured on patch sets in the formats in which they come, and on pairs of photos."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from tasks.patches import evaluation
from tasks.patches.data import sets
from tasks.patches.describers import SIFT, resized
from tasks.patches.measuring import protocol
from utils.data.files import walk

MATRIX = np.array([[1, 0.1, -8], [-0.1, 1, 12], [0, 0, 1.0]])  # pixels of b -> pixels of a


def patches(rng, count, side):
    """Soft noise (N, P, P) uint8."""
    noise = gaussian_filter(rng.normal(0, 1, (count, side, side)), (0, 3, 3))
    return np.clip(128 + 400 * noise, 0, 255).astype("uint8")


def options(root, out, **changes):
    return SimpleNamespace(**{
        "descriptor": "sift", "dataset_path": str(root), "out": str(out), "seed": 0, "points": 30, "jitter": "easy",
        "least_patch": 0.0,
        "photos_too": True, "opencv": False, "most_keypoints": 500, "ratio": 0.8, "tolerance": 3.0, **changes,
    })


@pytest.fixture
def hpatches(tmp_path, rng):
    for scene in ("v_wall", "i_lamp", "v_door"):
        folder = tmp_path / "sets" / scene
        folder.mkdir(parents=True)
        reference = patches(rng, 12, 65)
        for name, noise in (("ref", 0), ("e1", 3), ("h1", 20), ("t1", 90)):
            noisy = np.clip(reference + rng.normal(0, noise, reference.shape), 0, 255).astype("uint8")
            Image.fromarray(noisy.reshape(-1, 65)).save(folder / f"{name}.png")
    return tmp_path / "sets"


def test_hpatches(hpatches, tmp_path, capsys):
    result = evaluation.evaluate(options(hpatches, tmp_path / "out"), "")
    figures = result["figures"]["SIFT"]
    assert figures["points"] == 36 and result["patches"] == 144
    assert (figures["matching_easy"] >= figures["matching_hard"] >= figures["matching_tough"] > 0.2
            and figures["matching_easy"] > 0.95)
    assert (0 <= figures["fpr95"] < 0.5 and set(figures["verification"]) == {"intra", "inter"}
            and 0.5 < figures["retrieval"] <= 1)
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"patches.json", "patches.png"}
    assert set(figures["scenes"]) == {"v_wall", "i_lamp", "v_door"}
    assert np.mean([scene["matching"] for scene in figures["scenes"].values()]) == pytest.approx(figures["matching"])
    said = capsys.readouterr().out
    assert "matching, tough" in said and f"  {'v_door':24}{figures['scenes']['v_door']['fpr95']:18.4f}" in said
    assert result == evaluation.evaluate(options(hpatches, tmp_path / "out"), "")


def test_phototour(tmp_path, rng):
    root = tmp_path / "liberty"
    root.mkdir()
    cut = np.repeat(patches(rng, 128, 64), 2, axis=0)
    cut = np.clip(cut + rng.normal(0, 30, cut.shape), 0, 255).astype("uint8")
    Image.fromarray(cut.reshape(16, 16, 64, 64).swapaxes(1, 2).reshape(1024, 1024)).save(root / "patches0000.bmp")
    (root / "info.txt").write_text("".join(f"{number // 2} 0\n" for number in range(256)))
    pairs = ([(number, number + 1) for number in range(0, 200, 2)]
             + [(number, number + 5) for number in range(0, 200, 2)])
    (root / "m50_200_200_0.txt").write_text("".join(f"{a} {a // 2} 0 {b} {b // 2} 0 0\n" for a, b in pairs))
    result = evaluation.evaluate(options(root, tmp_path / "out"), "")
    assert result["figures"]["SIFT"]["fpr95"] < 0.1 and result["figures"]["SIFT"]["verification"] > 0.9
    assert (tmp_path / "out" / "mistakes.png").is_file()


@pytest.fixture
def photo_pair(tmp_path, rng):
    """A photo and its view by a homography, as data sets with homographies have them."""
    root = tmp_path / "pairs"
    root.mkdir()
    image = np.full((260, 340), 120.0)
    for _ in range(250):
        y, x, h, w = *rng.integers(0, (260, 340)), *rng.integers(4, 40, 2)
        image[y : y + h, x : x + w] = rng.uniform(0, 255)
    a = Image.fromarray(gaussian_filter(image, 0.8).astype("uint8"))
    a.save(root / "wallA.png")
    a.transform(a.size, Image.Transform.AFFINE, centred(MATRIX)[:2].ravel(),
                Image.Resampling.BICUBIC).save(root / "wallB.png")
    np.savetxt(root / "wall_model.txt", MATRIX)
    return root


def centred(matrix):
    """The matrix for a library that calls the corner of the first pixel (0, 0), and not its centre."""
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return shift @ matrix @ np.linalg.inv(shift)


def test_pairs_of_photos(photo_pair, tmp_path, capsys):
    result = evaluation.evaluate(options(photo_pair, tmp_path / "out"), "")
    assert 10 < result["figures"]["SIFT"]["points"] <= 30 and result["figures"]["SIFT"]["matching"] > 0.6
    assert result["figures"]["SIFT"]["retrieval"] is None  # there is no other scene
    figures = result["photos"]["SIFT"]
    assert (figures["near_corner"] == figures["near_overlap"] == figures["same"] == 1
            and figures["pairs"]["wall"]["corner_error"] < 1)
    assert "a map for 1 of 1 pairs, corners within 3 px in 1" in capsys.readouterr().out


def test_the_second_patch_shows_the_place_that_the_homography_says(photo_pair):
    scene = protocol.seen_again(sets.photo_pairs(str(photo_pair)), 30, "none", [0], 1)
    one, other = (shown.reshape(len(shown), -1).astype(float) for shown in scene.views.values())
    assert np.median([np.corrcoef(a, b)[0, 1] for a, b in zip(one, other)]) > 0.97


def test_small_patches_are_left_out_where_asked(photo_pair, monkeypatch):
    pairs, cut = sets.photo_pairs(str(photo_pair)), []
    monkeypatch.setattr(protocol, "cut_frames", lambda image, frames, side: cut.append(frames)
                        or np.zeros((len(frames), side, side)))
    for least in (0, 40):
        protocol.seen_again(pairs, 30, "none", [0], 1, least)
    sides = [2 * np.linalg.norm(frames[:, :, 0], axis=1) for frames in cut[::2]]
    assert sides[0].min() < 40 <= sides[1].min() + 1e-6 and len(sides[1]) > 2


@pytest.mark.parametrize("photo, matrix, root", [
    ("img{}.png", "H1to{}p", "."), ("{}.ppm", "H_1_{}", ".."), ("img{}.jpg", "H1to{}p.txt", "."),
])
def test_sequences_of_whole_photos_as_oxford_and_hpatches_distribute_them(photo, matrix, root, tmp_path, rng, capsys):
    """The matrix maps pixels of the first photo to pixels of the other."""
    folder = tmp_path / "all" / "wall"
    folder.mkdir(parents=True)
    values = gaussian_filter(rng.uniform(0, 255, (160, 200, 3)), (2, 2, 0)) * 3 - 255
    first = Image.fromarray(np.clip(values, 0, 255).astype("uint8"))
    first.save(folder / photo.format(1), quality=100)
    for number, shift in ((2, 6), (3, -9)):
        first.transform(first.size, Image.Transform.AFFINE, (1, 0, shift, 0, 1, 0)).save(
            folder / photo.format(number), quality=100)
        np.savetxt(folder / matrix.format(number), [[1, 0, -shift], [0, 1, 0], [0, 0, 1]])
    result = evaluation.evaluate(options(folder / root, tmp_path / "out"), "")
    assert result["kind"] == "homographies"
    figures = result["photos"]["SIFT"]
    assert list(figures["pairs"]) == ["wall 1-2", "wall 1-3"] and figures["near_corner"] == 2
    assert figures["unrelated"]["pairs"] == 0  # both show one place
    assert list(result["figures"]["SIFT"]["scenes"]) == ["wall"] and result["figures"]["SIFT"]["matching"] > 0.9


def test_a_sequence_without_a_photo_or_with_a_broken_matrix_is_named(tmp_path):
    for number in (1, 2):
        Image.new("RGB", (30, 20)).save(tmp_path / f"img{number}.png")
    (tmp_path / "H1to2p").write_text("1 0 5\n0 1 0\n0 0 1\n")
    assert sets.photo_pairs(str(tmp_path))[0].b_to_a[0, 2] == -5
    (tmp_path / "H1to3p").write_text("1 0 5\n0 1 0\n0 0 1\n")
    with pytest.raises(ValueError, match="H1to3p: there is no photo img3 or 3 beside it"):
        sets.photo_pairs(str(tmp_path))
    (tmp_path / "H1to3p").unlink()
    (tmp_path / "H1to2p").write_text("1 0 5\n")
    with pytest.raises(ValueError, match="H1to2p: not a homography, expected .* map pixels of photo 1 to pixels of p"):
        sets.photo_pairs(str(tmp_path))


def test_the_error_of_corners_and_of_what_both_show():
    sizes = (300, 200), (300, 200)
    assert evaluation.errors(np.linalg.inv(MATRIX), MATRIX, *sizes) == pytest.approx((0, 0), abs=1e-6)
    moved = np.array([[1, 0, 3], [0, 1, 4], [0, 0, 1.0]]) @ np.linalg.inv(MATRIX)
    assert evaluation.errors(moved, -2 * MATRIX, *sizes) == pytest.approx((5, 5))
    assert evaluation.errors(None, MATRIX, *sizes) == (None, None)


def test_patches_are_made_smaller_without_aliasing(rng):
    cut = patches(rng, 3, 65)
    assert resized(cut, 65, 1) is not None and np.array_equal(resized(cut, 65, 1), cut.astype("float32"))
    assert resized(cut[:0], 32, 1).shape == (0, 32, 32)
    small = resized(cut, 32, 1)
    assert small.shape == (3, 32, 32) and np.allclose(small.mean((1, 2)), cut.mean((1, 2)), atol=2)
    board = np.indices((65, 65)).sum(0)[None] % 2 * 255
    assert (np.abs(resized(board, 16, 3)[:, 1:-1, 1:-1] - 127.5).max() < 20
            and resized(board, 16, 3).shape == (1, 16, 16, 3))


def test_a_folder_that_is_none_of_these_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("")
    assert walk(str(tmp_path))[0] == []
    with pytest.raises(ValueError, match="expected folders that hold ref.png"):
        evaluation.evaluate(options(tmp_path, tmp_path), "")


def test_sift_is_the_same_for_grey_and_for_coloured_patches(rng):
    cut = patches(rng, 4, 65)
    assert np.allclose(SIFT.resized(cut), SIFT.resized(np.repeat(cut[..., None], 3, -1)), atol=1e-3)


def test_beside_opencv_where_it_is_installed(photo_pair, tmp_path):
    try:
        import cv2  # noqa: F401
    except ImportError:
        with pytest.raises(ValueError, match="--opencv: OpenCV is not installed"):
            evaluation.evaluate(options(photo_pair, tmp_path / "out", opencv=True), "")
        return
    result = evaluation.evaluate(options(photo_pair, tmp_path / "out", opencv=True), "")
    assert list(result["figures"]) == ["SIFT", "OpenCV"] and result["photos"]["OpenCV"]["near_corner"] == 1
    assert abs(result["figures"]["SIFT"]["matching"] - result["figures"]["OpenCV"]["matching"]) < 0.1


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run with an untrained model, and the photos that it held out."""
    from nets import towers
    from nets.models import descriptor
    from utils.run import folder as runs

    root = tmp_path_factory.mktemp("run")
    for number in range(3):
        rng = np.random.default_rng(number)
        image = gaussian_filter(rng.uniform(0, 255, (120, 160, 3)), (2, 2, 0)) * 3 - 255
        Image.fromarray(np.clip(image, 0, 255).astype("uint8")).save(root / f"{number}.png")
    descriptor.descriptor(towers.make_patch_tower("patches", ())).save(root / "best.keras")
    runs.write_json(str(root), runs.SPLIT, {"root": str(root), "test": [f"{number}.png" for number in range(3)]})
    return root


def test_a_model_on_the_photos_that_its_run_held_out(run, tmp_path, capsys):
    result = evaluation.evaluate(options("", tmp_path / "out", descriptor="model"), str(run / "best.keras"))
    assert result["kind"] == "held out" and list(result["figures"]) == ["model", "SIFT"]
    assert result["figures"]["SIFT"]["matching"] > 0.3 and result["figures"]["SIFT"]["retrieval"] is not None
    assert (tmp_path / "out" / "evaluation.json").is_file()


def test_a_model_answers_about_photos(run, photo_pair, capsys):
    from tasks.patches import answer

    files = [str(photo_pair / name) for name in ("wallA.png", "wallB.png")]
    given = SimpleNamespace(descriptor="model", model=str(run), geometry="homography", homography=False, keypoints=[],
                            most_keypoints=300, ratio=1.0,
                            tolerance=3.0, figure=False, json=False, csv="")
    answer.answer(given, files)
    assert "best.keras" in capsys.readouterr().out
    given.descriptor = "sift"
    with pytest.raises(ValueError, match="--descriptor=sift uses no model"):
        answer.answer(given, files)
    given.descriptor, given.model = "model", str(photo_pair)
    with pytest.raises(ValueError, match="found no model at .*; --descriptor=sift needs no model"):
        answer.answer(given, files)
