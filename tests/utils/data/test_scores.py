"""Human scores in every format, what is wrong with them, and splits by reference photo."""

import csv
import os
import shutil

import numpy as np
import pytest
from scipy.io import savemat

from utils.data import scores
from utils.data.score_lists import LIVE_FOLDERS, TID_KINDS
from utils.data.scores import (
    read_scores,
    split_by_reference,
    write_list,
    write_rank_lists,
)

from helpers import DATA


def touch(root, *names):
    """Empty files: lists are read, images are not opened."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def listed(tmp_path, text, *names, file="list.txt"):
    """A list file beside its images."""
    touch(tmp_path, *names)
    (tmp_path / file).write_text(text, encoding="utf-8")
    return str(tmp_path / file)


def tid(root, lines, upper=False):
    """A folder like TID2013 whose files are written in the other case than the list."""
    (root / "distorted_images").mkdir(parents=True)
    (root / "mos_with_names.txt").write_text("".join(f"{line}\n" for line in lines))
    names = [line.split()[1] for line in lines]
    touch(root / "distorted_images", *(name.upper() if upper else name.lower() for name in names))
    return str(root)


def live_images():
    return [f"{folder}/img{i}.bmp" for folder, (_, count) in LIVE_FOLDERS.items() for i in range(1, count + 1)]


def live(root, dmos, original, references, realigned=True):
    """A folder like LIVE release 2: 982 images, as `savemat` stores MATLAB's cells and rows."""
    touch(root, *live_images())
    cells = np.empty((1, len(references)), object)
    cells[0] = references
    savemat(root / "refnames_all.mat", {"refnames_all": cells})
    if realigned:
        savemat(root / "dmos_realigned.mat", {"dmos_new": dmos[None], "orgs": original[None].astype("uint8")})
    savemat(root / "dmos.mat", {"dmos": dmos[None] / 2, "orgs": original[None].astype("uint8")})
    return str(root)


# lists


def test_lines_with_spaces_comments_and_blanks(tmp_path):
    path = listed(tmp_path, "\ufeff# human scores\n\nsub/a b  c.png 3.5\n  d.png\t-1e1  \n", "sub/a b  c.png", "d.png")
    scored = read_scores(path, True)
    assert scored.paths == ["sub/a b  c.png", "d.png"] and scored.scores.tolist() == [3.5, -10]
    assert scored.scores.dtype == "float64" and scored.references.tolist() == [0, 1]
    assert scored.kinds.tolist() == ["", ""] and scored.levels.tolist() == [0, 0]
    assert (scored.low, scored.high, scored.higher_is_better) == (-10, 3.5, True)
    assert all(map(os.path.isfile, scored.full_paths()))


@pytest.mark.parametrize("head, row", [
    ("MOS,Image", "0.5,a.png"), ("path;x;score", "a.png;7;0.5"), ("file\tdmos", "a.png\t0.5"),
    ("name,QUALITY", '"a.png",0.5'),
])
def test_tables_of_any_order_case_and_delimiter(tmp_path, head, row):
    path = listed(tmp_path, f"\ufeff{head}\r\n{row}\r\n\r\n", "a.png", file="list.CSV")
    scored = read_scores(path, False)
    assert scored.paths == ["a.png"] and scored.scores.tolist() == [0.5] and not scored.higher_is_better


def test_table_keeps_commas_in_quoted_names_references_kinds_and_levels(tmp_path):
    text = 'image,ref_image,dist_type,level,mos\n"a, b.png",r1,blur,3,1\nc.png,r0,noise,,2\nd.png,r1,,1,3\n'
    scored = read_scores(listed(tmp_path, text, "a, b.png", "c.png", "d.png", file="list.csv"), True)
    assert scored.paths[0] == "a, b.png" and scored.references.tolist() == [0, 1, 0]
    assert scored.kinds.tolist() == ["blur", "noise", ""] and scored.levels.tolist() == [3, 0, 1]


def test_image_root_and_absolute_paths(tmp_path):
    touch(tmp_path, "images/a.png", "b.png")
    path = listed(tmp_path, f"a.png 1\n{tmp_path / 'b.png'} 2\n", file="lists.txt")
    scored = read_scores(listed(tmp_path, f"a.png 1\n{tmp_path / 'images' / 'a.png'} 1\n"), True,
                         image_root=str(tmp_path / "images"))
    assert all(map(os.path.isfile, scored.full_paths()))
    assert read_scores(path, True).paths == [str(tmp_path / "b.png")]


def test_list_in_the_working_folder(tmp_path, monkeypatch):
    listed(tmp_path, "a.png 1\n", "a.png")
    monkeypatch.chdir(tmp_path)
    assert read_scores("list.txt", True).full_paths() == ["a.png"]


def test_range_is_what_was_declared(tmp_path):
    path = listed(tmp_path, "a.png 1\nb.png 4\n", "a.png", "b.png")
    declared = read_scores(path, True, score_range=(0, 5))
    assert (declared.low, declared.high) == (0, 5)
    with pytest.raises(ValueError, match="scores from 1 to 4; expected 0 to 3"):
        read_scores(path, True, score_range=(0, 3))


def test_the_direction_is_never_guessed(tmp_path):
    texts = {"list.txt": "a.png 1\n", "mos.csv": "image,mos\na.png,1\n", "dmos.csv": "image,dmos\na.png,1\n"}
    for name, text in texts.items():
        with pytest.raises(ValueError, match="--higher_is_better .*--nohigher_is_better"):
            read_scores(listed(tmp_path, text, "a.png", file=name), None)


@pytest.mark.parametrize("text, message", [
    ("", "lists no image"),
    ("# nothing\n\n", "lists no image"),
    ("a.png 1\n\nb.png x\n", "line 3: found 'x' instead of a score"),
    ("a.png 1\nb.png\n", "line 2: found 'b.png' alone"),
    ("1.5 a.png\n", "line 1: found 'a.png' instead of a score"),
    ("a.png nan\n", "line 1: the score is nan"),
    ("a.png 1\nb.png -inf\n", "line 2: the score is -inf"),
    ("a.png 1\nb.png 2\n./a.png 3\n", "a.png is listed with the scores 1 and 3"),
    ("c.png 2\nd.png 3\n",
     "2 of 2 images are not below .*: c.png, d.png; pass .*--image_root .tried: .*/ for .*regardless of case"),
    ("a.png 1\nb\0.png 2\n", "line 2: holds a NUL byte"),
])
def test_bad_lines(tmp_path, text, message):
    path = listed(tmp_path, text, "a.png", "b.png")
    with pytest.raises(ValueError, match=message) as caught:
        read_scores(path, True)
    assert str(caught.value).startswith(path) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text, message", [
    ("", "lists no image"),
    ("image,mos\n", "lists no image"),
    ("a.png,1,2\n", "none of the columns image, path.* in the header 'a.png, 1, 2'.*--image_column"),
    ("image,rating\na.png,1\n", "none of the columns mos, dmos"),
    ("image,mos,score\na.png,1,2\n", "several of the columns mos, dmos.*--score_column"),
    ("image,path,mos\na.png,a.png,2\n", "several of the columns image, path.*--image_column"),
    ("image,mos\na.png,1\nb.png,\n", "line 3: found '' instead of a score"),
    ("image,mos\na.png,1\nb.png\n", "line 3: found .*expected 2 fields"),
    ("image,mos\n,1\n", "line 2: found .*a path in 'image'"),
    ("image;mos\na.png;0,5,6\n", "line 2: found '0,5,6' instead of a score"),
    ('image,mos\na.png,1\n"b.png,2\n' + "c.png,3\n" * 20_000, "line 3: field larger than field limit.*quotation mark"),
    ("image,mos,level\na.png,1,1e30\n", "line 2: found '1e30' instead of a level"),
    ("image,mos,level\na.png,1," + "9" * 5000 + "\n", "line 2: found '999.*\\.\\.\\. instead of a level"),
    ("image,mos\na.png,inf\n", "line 2: the score is inf"),
    ("image,mos,level\na.png,1,2.5\n", "line 2: found '2.5' instead of a level"),
    ("image,mos\na.png,1\na.png,2\n", "a.png is listed with the scores 1 and 2"),
])
def test_bad_tables(tmp_path, text, message):
    path = listed(tmp_path, text, "a.png", "b.png", file="list.csv")
    with pytest.raises(ValueError, match=message) as caught:
        read_scores(path, True)
    assert str(caught.value).startswith(path) and "\n" not in str(caught.value)


def test_one_image_twice_is_one_reference(tmp_path):
    scored = read_scores(listed(tmp_path, "a.png 1\nb.png 2\n./a.png 1\n", "a.png", "b.png"), True)
    assert scored.references.tolist() == [0, 1, 0]


def test_one_photo_under_several_names_is_one_image_with_the_mean_of_its_scores(tmp_path, capsys):
    """A byte copy, a link and a link of the hard kind are told by their contents, whatever reference is named."""
    path = listed(tmp_path, "image,mos,ref\na.png,1,r0\ncopy.png,2,r1\nb.png,5,r2\nlink.png,4,r3\nhard.png,9,r4\n",
                  file="list.csv")
    for name, content in dict(a=b"one", copy=b"one", b=b"two").items():
        (tmp_path / f"{name}.png").write_bytes(content)
    os.symlink(tmp_path / "a.png", tmp_path / "link.png")
    os.link(tmp_path / "b.png", tmp_path / "hard.png")
    scored = read_scores(path, True)
    assert scored.paths == ["a.png", "b.png"] and scored.references.tolist() == [0, 1]
    assert scored.scores.tolist() == [pytest.approx(7 / 3), 7]
    said = capsys.readouterr().out
    assert "3 images with the contents of another" in said and "copy.png is a.png" in said


def test_files_that_begin_alike_are_two_and_an_image_listed_twice_keeps_both_rows(tmp_path, capsys):
    path = listed(tmp_path, "a.png 1\na.png 1\nb.png 2\nc.png 3\n")
    for name, end in dict(a=b"x", b=b"y", c=b"x").items():
        (tmp_path / f"{name}.png").write_bytes(bytes(2**17) + end)
    scored = read_scores(path, True)
    assert scored.paths == ["a.png", "a.png", "b.png"] and scored.scores.tolist() == [2, 2, 2]
    assert "1 image with the contents of another" in capsys.readouterr().out


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_lists_in_any_code_of_unicode_are_read(code, tmp_path):
    touch(tmp_path, "a.png", "b c.png")
    (tmp_path / "list.csv").write_bytes("image,mos\r\na.png,1\r\nb c.png,2\r\n".encode(code))
    assert read_scores(str(tmp_path / "list.csv"), True).scores.tolist() == [1, 2]


@pytest.mark.parametrize("line, message", [
    ('"' + "x" * 200_000, "line 14: field larger than field limit.*quotation mark without its partner"),
    ('"a.png,1', "line 14: found .*expected 2 fields"), ("a.png,1,2", "line 14: found .*expected 2 fields"),
    ("a.png,1e308", "line 14: the score is 1e[+]308; expected a finite number of at most 1e[+]09"),
    ("a.png,-2e9", "line 14: the score is -2e[+]09"), ("a.png,\0", "line 14: holds a NUL byte; expected .*, in UTF-8"),
])
def test_the_line_that_is_wrong_is_the_one_that_is_blamed(line, message, tmp_path):
    lines = ["image,mos", *["a.png,1"] * 12, line, *["a.png,1"] * 9]
    path = listed(tmp_path, "\n".join(lines) + "\n", "a.png", file="list.csv")
    with pytest.raises(ValueError, match=message) as error:
        read_scores(path, True)
    assert str(error.value).startswith(f"{path}, line 14: ") and len(str(error.value)) < 400


def test_no_list_no_text_no_data_set(tmp_path):
    with pytest.raises(ValueError, match="no such file or folder"):
        read_scores(str(tmp_path / "absent.txt"), True)
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ValueError, match="picture.txt, line 1: found '.udc89PNG.* alone; expected `path score`"):
        read_scores(str(tmp_path / "picture.txt"), True)
    with pytest.raises(ValueError, match="neither TID2013 .* nor LIVE release 2"):
        read_scores(str(tmp_path), True)


# TID2013 and LIVE


LINES = ["5.5 I01_01_1.bmp", "4.5 i01_08_5.bmp", "3 i02_24_2.bmp", "0.2 i25_10_1.BMP"]


@pytest.mark.parametrize("upper", [False, True])
def test_tid_by_its_names_in_any_case(tmp_path, upper):
    root = tid(tmp_path / "tid", LINES, upper)
    scored = read_scores(root)
    assert scored.scores.tolist() == [5.5, 4.5, 3] and scored.references.tolist() == [0, 0, 1]
    assert scored.kinds.tolist() == ["GN", "GB", "SSR"] and scored.levels.tolist() == [1, 5, 2]
    assert (scored.low, scored.high, scored.higher_is_better) == (0, 9, True)
    assert all(map(os.path.isfile, scored.full_paths()))


def test_tid_numbers_its_distortions():
    numbers = {1: "GN", 2: "GNC", 3: "SCN", 4: "MN", 5: "HFN", 6: "IN", 7: "QN", 8: "GB", 9: "ID", 10: "JPEG",
               11: "JP2K",
               14: "NEPN", 15: "BW", 16: "MS", 17: "CC", 18: "CS", 19: "MGN", 20: "CN", 22: "CQD", 23: "CA"}
    assert {index: TID_KINDS[index - 1] for index in numbers} == numbers and len(TID_KINDS) == 24


@pytest.mark.parametrize("line, message", [
    ("i01_01_1.bmp 5.5", "line 5: found 'i01_01_1.bmp 5.5'; expected `MOS iNN_TT_L.bmp`"),
    ("5.5 i01_25_1.bmp", "line 5: found"),
    ("nan i01_01_2.bmp", "line 5: the score is nan"),
    ("x i01_01_2.bmp", "line 5: found 'x' instead of a score"),
    ("9.5 i01_01_2.bmp", "scores from 3 to 9.5; expected 0 to 9"),
    ("5.4 I01_01_1.bmp", "listed with the scores 5.5 and 5.4"),
])
def test_bad_tid(tmp_path, line, message):
    with pytest.raises(ValueError, match=message):
        read_scores(tid(tmp_path / "tid", [*LINES, line]))


def test_tid_without_images_or_turned_round(tmp_path):
    root = tid(tmp_path / "tid", LINES)
    with pytest.raises(ValueError, match="scores are MOS, higher is better.* pass --higher_is_better"):
        read_scores(root, False)
    elsewhere = shutil.move(os.path.join(root, "distorted_images"), tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="3 of 3 images are not below"):
        read_scores(root)
    assert len(read_scores(root, image_root=str(elsewhere)).paths) == 3


def made_live(rng):
    original = rng.random(982) < 0.2
    return rng.uniform(0, 100, 982) * ~original, original, [f"photo{i}.bmp" for i in rng.integers(0, 29, 982)]


def test_live_leaves_the_undistorted_out(tmp_path, rng):
    dmos, original, references = made_live(rng)
    scored = read_scores(live(tmp_path, dmos, original, references))
    kept = np.flatnonzero(~original)
    assert scored.paths == [live_images()[i] for i in kept] and np.array_equal(scored.scores, dmos[kept])
    assert not scored.higher_is_better and (scored.low, scored.high) == (scored.scores.min(), scored.scores.max())
    assert set(scored.kinds) == {"JP2K", "JPEG", "GN", "GB", "FF"}
    names = np.array(references)[kept]
    assert np.array_equal(scored.references[:, None] == scored.references, names[:, None] == names)


def test_live_without_realigned_scores_and_without_any(tmp_path, rng):
    dmos, original, references = made_live(rng)
    root = live(tmp_path, dmos, original, references, realigned=False)
    assert np.array_equal(read_scores(root, False).scores, dmos[~original] / 2)
    with pytest.raises(ValueError, match="scores are DMOS, lower is better.* pass --nohigher_is_better"):
        read_scores(root, True)
    savemat(tmp_path / "dmos.mat", {"dmos": dmos[None, :5], "orgs": original[None]})
    with pytest.raises(ValueError, match="5 values of 'dmos'; expected 982"):
        read_scores(root)
    (tmp_path / "dmos.mat").write_text("a web page, say")
    with pytest.raises(ValueError, match="dmos.mat: cannot be read .*; expected a MATLAB file"):
        read_scores(root)
    (tmp_path / "dmos.mat").unlink()
    with pytest.raises(ValueError, match="without scores; expected dmos_realigned.mat or dmos.mat"):
        read_scores(root)


def test_live_with_a_missing_image_or_score(tmp_path, rng, capsys):
    dmos, original, references = made_live(rng)
    dmos[5], original[:9] = np.nan, False
    root = live(tmp_path, dmos, original, references)
    with pytest.raises(ValueError, match="jp2k/img6.bmp: the score is nan"):
        read_scores(root)
    root = live(tmp_path, np.nan_to_num(dmos), original, references)
    (tmp_path / "jp2k" / "img2.bmp").unlink()
    with pytest.raises(ValueError, match="1 of .* images are not below .*: jp2k/img2.bmp; .*--skip_broken"):
        read_scores(root, skip_missing=False)
    assert "jp2k/img2.bmp" not in read_scores(root).paths
    assert "left out: 1 of" in capsys.readouterr().out


# the lists as they were published


def published(*parts):
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no {path}")
    return path


def test_tid_as_published(tmp_path):
    lines = published("iqa_scores", "tid2013_mos_with_names.txt").read_text().splitlines()
    root = tid(tmp_path / "tid", lines)
    scored = read_scores(root)
    assert len(lines) == 3000 and len(scored.paths) == 2880 and len(np.unique(scored.references)) == 24
    assert set(scored.kinds) == set(TID_KINDS) and len(TID_KINDS) == 24
    cells = list(zip(scored.references, scored.kinds, scored.levels))
    assert len(set(cells)) == 2880 and set(scored.levels) == {1, 2, 3, 4, 5}
    assert scored.scores.min() == 0.24242 and scored.scores.max() == 7.21429
    # MOS falls with the level
    assert scored.scores[scored.levels == 1].mean() > scored.scores[scored.levels == 5].mean() + 1
    train, test = split_by_reference(scored.references, 0.2, seed=0)
    assert (len(train), len(test)) == (19 * 120, 5 * 120)


def test_live_as_published(tmp_path):
    with open(published("iqa_scores", "live_r2_dmos.csv"), newline="") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    names = live_images()
    original = np.array([name not in rows for name in names])
    dmos = np.array([0 if out else float(rows[name]["dmos_realigned"]) for name, out in zip(names, original)])
    references = ["bikes.bmp" if out else rows[name]["ref_image"] for name, out in zip(names, original)]
    folder = read_scores(live(tmp_path, dmos, original, references))
    assert len(folder.paths) == 779 and len(np.unique(folder.references)) == 29
    counts = {kind: int(np.sum(folder.kinds == kind)) for kind in ("JP2K", "JPEG", "GN", "GB", "FF")}
    assert counts == {"JP2K": 169, "JPEG": 175, "GN": 145, "GB": 145, "FF": 145}
    table = read_scores(str(published("iqa_scores", "live_r2_dmos.csv")), False, image_root=str(tmp_path))
    assert table.paths == folder.paths and np.array_equal(table.scores, folder.scores)
    assert np.array_equal(table.references, folder.references)
    train, test = split_by_reference(folder.references, 0.2, seed=0)
    assert (len(np.unique(folder.references[train])), len(np.unique(folder.references[test]))) == (23, 6)


def test_biq_as_published():
    path = published("biq2021", "scores.csv")
    scored = read_scores(str(path), True, image_root=str(path.parent / "images"), score_range=(0, 1))
    assert len(scored.paths) == 2000 and np.array_equal(scored.references, np.arange(2000))
    with pytest.raises(ValueError, match="2000 of 2000 images are not below .*: 0000.jpg, "):
        read_scores(str(path), True)


# lists as people have them


@pytest.mark.parametrize("file, text", [
    ("list.csv", "Image Name,MOS\na.png,0.5\nsub/b c.png,1.5\n"),
    ("list.csv", "img_name;q-score;Quality Score\na.png;9;0.5\nsub/b c.png;9;1.5\n"),
    ("list.csv", "image-name|mean_opinion_score\na.png|0.5\nsub/b c.png|1.5\n"),
    ("list.csv", "a.png,0.5\nsub/b c.png,1.5\n"), ("list.csv", "a.png 0.5\nsub/b c.png 1.5\n"),
    ("list.csv", "0.5;a.png\n1.5;sub/b c.png\n"),
    ("list.csv", "sep=;\nimage;mos\na.png;0,5\nsub/b c.png;1,5\n"), ("list.csv", '"sep=|"\na.png|0.5\nsub/b c.png|1.5'),
    ("list.csv", '# scores\n\n"image","mos"\n"a.png","0.5"\n"sub/b c.png","1.5",\n'),
    ("list.tsv", "file\tmos\na.png\t0.5\nsub/b c.png\t1.5\n"), ("list.tsv", "a.png\t0.5\nsub/b c.png\t1.5\n"),
    ("list.txt", "a.png,0.5\nsub/b c.png,1.5\n"), ("list.txt", "a.png, 0.5\nsub/b c.png, 1.5\n"),
    ("list.txt", "a.png;0,5\nsub/b c.png;1,5\n"),
    ("list.txt", "a.png\t0.5\nsub/b c.png\t1.5\n"), ("list.txt", "image mos\na.png 0.5\nsub/b c.png 1.5\n"),
    ("list.txt", "Name,MOS\na.png,0.5\nsub/b c.png,1.5"),
    ("LIST.DAT", "a.png 0.5\nsub\\b c.png 1.5\n"), ("list.txt", "A.PNG 0.5\nSub\\B c.Png 1.5\n"),
    ("list.csv", "name,mos,level\na.png,.5,3.0\n.\\sub\\b c.png,1.5,\n"),
])
def test_lists_however_people_write_them(file, text, tmp_path):
    scored = read_scores(listed(tmp_path, text, "a.png", "sub/b c.png", file=file), True)
    assert ([os.path.normpath(path) for path in scored.paths] == ["a.png", os.path.join("sub", "b c.png")]
            and scored.scores.tolist() == [0.5, 1.5])


def test_decimal_commas_are_said_once(tmp_path, capsys):
    assert read_scores(listed(tmp_path, "a.png;3,5\nb.png;4,5\n", "a.png", "b.png", file="comma.csv"),
                       True).scores.tolist() == [3.5, 4.5]
    assert capsys.readouterr().out.count("scores with a decimal comma, such as 3,5, are read as 3.5") == 1


def test_commas_in_quoted_names_do_not_mislead_the_search_for_the_delimiter(tmp_path):
    scored = read_scores(listed(tmp_path, '"a, b, c.png";1\n"d, e, f.png";2\n', "a, b, c.png", "d, e, f.png",
                                file="list.csv"), True)
    assert scored.paths == ["a, b, c.png", "d, e, f.png"]
    scored = read_scores(listed(tmp_path, 'mos,image\n1,"x; y | z.png"\n', "x; y | z.png", file="list.csv"), True)
    assert scored.paths == ["x; y | z.png"]


@pytest.mark.parametrize("name", ["Gr\u00fcn.png", "Gru\u0308n.png", "GR\u00dcN.PNG"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_accents_in_any_code(name, encoding, tmp_path):
    if encoding == "cp1252" and "\u0308" in name:
        pytest.skip("that code page has no such letter")
    touch(tmp_path, "Gr\u00fcn.png")
    (tmp_path / "list.txt").write_bytes(f"{name} 3\n".encode(encoding))
    assert read_scores(str(tmp_path / "list.txt"), True).paths == ["Gr\u00fcn.png"]


def test_of_mos_and_dmos_the_one_that_is_meant(tmp_path, capsys):
    path = listed(tmp_path, "image,mos,DMOS\na.png,1,2\n", "a.png", file="both.csv")
    assert (read_scores(path, True).scores.tolist() == [1]
            and "mos is read, because of --higher_is_better" in capsys.readouterr().out)
    assert (read_scores(path, False).scores.tolist() == [2]
            and "DMOS is read, because of --nohigher_is_better" in capsys.readouterr().out)
    assert read_scores(path, True, score_column="dmos").scores.tolist() == [2]
    path = listed(tmp_path, "image,dmos,dmos_realigned\na.png,1,2\n", "a.png", file="two.csv")
    with pytest.raises(ValueError, match="several of the columns .*--score_column"):
        read_scores(path, False)


@pytest.mark.parametrize("header, higher, said", [
    ("image,DMOS", True,
     "column DMOS, of which mostly the lower ones are better; they are read as --higher_is_better says"),
    ("image,mos", False,
     "column mos, of which mostly the higher ones are better; they are read as --nohigher_is_better says"),
    ("image,dmos", False, ""), ("image,MOSz,DMOS", True, "MOSz is read"), ("image,score", False, ""),
])
def test_a_column_that_speaks_against_the_flag_is_said(header, higher, said, tmp_path, capsys):
    touch(tmp_path, "a.png")
    (tmp_path / "list.csv").write_text(f"{header}\na.png,3,4\n" if header.count(",") == 2 else f"{header}\na.png,3\n")
    assert read_scores(tmp_path / "list.csv", higher).scores[0] == 3
    text = capsys.readouterr().out
    assert said in text if said else "column" not in text


def test_names_without_an_ending_are_found_where_one_file_is_called_so(tmp_path, capsys):
    touch(tmp_path, "I01.png", "i02.BMP", "I03.png", "I03.jpg")
    (tmp_path / "list.csv").write_text("image,score\ni01,1\nI02,2\nI03,3\n")
    images = read_scores(tmp_path / "list.csv", True)
    text = capsys.readouterr().out
    assert list(images.scores) == [1, 2] and "i01 as I01.png" in text and "1 of 3 images are not below" in text


def test_columns_are_named_by_flags(tmp_path):
    path = listed(tmp_path, "id,picture,rating\n7,a.png,1\n8,b.png,2\n", "a.png", "b.png", file="list.csv")
    for image, score in (("picture", "rating"), ("Picture", " RATING"), ("2", "3")):
        assert read_scores(path, True, image_column=image, score_column=score).paths == ["a.png", "b.png"]
    with pytest.raises(ValueError, match="--score_column=stars names none of the columns 'id, picture, rating'"):
        read_scores(path, True, image_column="picture", score_column="stars")
    path = listed(tmp_path, "7,a.png,1\n8,b.png,2\n", file="headless.csv")
    assert read_scores(path, True, image_column="2", score_column="3").scores.tolist() == [1, 2]


def test_missing_images_are_left_out_and_named_or_refused(tmp_path, capsys):
    path = listed(tmp_path, "a.png 1\nb.png 2\nc.png 3\n", "a.png", "c.png", file="missing.txt")
    assert read_scores(path, True).paths == ["a.png", "c.png"]
    assert "left out: 1 of 3 images are not below" in (said := capsys.readouterr().out) and "b.png" in said
    with pytest.raises(ValueError, match="1 of 3 images are not below .*: b.png; .*--skip_broken"):
        read_scores(path, True, skip_missing=False)


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.png", "sub/../../secret.png", "..\\secret.png", "link.png",
                                  "LINK.png"])
def test_a_list_does_not_lead_out_of_its_folder(name, tmp_path):
    touch(tmp_path, "secret.png", "lists/a.png")
    (tmp_path / "lists" / "link.png").symlink_to(tmp_path / "secret.png")
    path = listed(tmp_path / "lists", f"a.png 1\n{name} 2\n")
    with pytest.raises(ValueError, match="(lies outside of|is a link out of) .*--image_root=") as caught:
        read_scores(path, True)
    assert "\n" not in str(caught.value) and name.rsplit("/")[-1].lower() in str(caught.value).lower()
    if "link" in name.lower():  # the person vouches for the folder
        assert len(read_scores(path, True, image_root=str(tmp_path / "lists")).paths) == 2
    else:
        with pytest.raises(ValueError, match="lies outside of"):
            read_scores(path, True, image_root=str(tmp_path / "lists"))


def test_a_list_may_name_its_folder(tmp_path):
    touch(tmp_path, "x/a.png")
    path = listed(tmp_path / "y", f"{tmp_path / 'x' / 'a.png'} 1\n", "b.png")
    assert read_scores(path, True, image_root=str(tmp_path / "x")).full_paths() == [str(tmp_path / "x" / "a.png")]
    path = listed(tmp_path / "x", f"{tmp_path / 'x' / 'A.png'} 1\nsub/../a.png 1\n")
    assert all(map(os.path.isfile, read_scores(path, True).full_paths()))


# writing


def test_written_lists_read_the_same(tmp_path, rng):
    files = [f"a folder/image {i}.png" for i in range(50)]
    values = rng.normal(size=50) * 10.0 ** rng.integers(-12, 8, 50)
    values[:3] = 0, 3, -1e-300
    touch(tmp_path, *files)
    write_list(str(tmp_path / "list.txt"), files, values)
    scored = read_scores(str(tmp_path / "list.txt"), True)
    assert scored.paths == files and np.array_equal(scored.scores, values)


def test_a_list_is_written_whole_or_not_at_all_whatever_the_names(tmp_path, monkeypatch):
    path, name = str(tmp_path / "list.txt"), os.fsdecode(b"Gr\xfcn.png")
    write_list(path, ["a.png", name], [1, 2])
    touch(tmp_path, "a.png", name)
    assert read_scores(path, True).paths == ["a.png", name]

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scores.Path, "write_text", full)
    with pytest.raises(OSError):
        write_list(path, ["b.png"], [1])
    assert (read_scores(path, True).paths == ["a.png", name] and "list.txt" in os.listdir(tmp_path)
            and len(os.listdir(tmp_path)) == 3)


@pytest.mark.parametrize("files, values", [
    ([], []), (["a"], [1, 2]), (["a"], [np.nan]), (["#a"], [1]), ([" a"], [1]), (["a\nb"], [1]), ([""], [1]),
])
def test_lists_that_could_not_be_read_are_not_written(tmp_path, files, values):
    with pytest.raises(ValueError, match="expected"):
        write_list(str(tmp_path / "list.txt"), files, values)
    assert not list(tmp_path.iterdir())


def test_rank_lists_stand_type_by_type_level_by_level(tmp_path):
    files = {
        "GB": [["p.png", "q.png"], ["p_gb1.png", "q_gb1.png"], ["p_gb2.png", "q_gb2.png"]],
        "GN": [["p.png", "q.png"], ["p_gn1.png", "q_gn1.png"]],
    }
    path = tmp_path / "rank.txt"
    write_rank_lists(str(path), files)
    assert path.read_text().splitlines() == [
        "p.png 0", "q.png 0", "p_gb1.png 1", "q_gb1.png 1", "p_gb2.png 2", "q_gb2.png 2",
        "p.png 0", "q.png 0", "p_gn1.png 1", "q_gn1.png 1",
    ]
    touch(tmp_path, *(file for levels in files.values() for photos in levels for file in photos))
    assert read_scores(str(path), False).scores.tolist() == [0, 0, 1, 1, 2, 2, 0, 0, 1, 1]
    files["GN"][1].pop()
    with pytest.raises(ValueError, match=r"GN has levels of \[2, 1\] photos"):
        write_rank_lists(str(path), files)


# splits


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(5))
def test_no_reference_in_both_parts(share, seed, rng):
    references = rng.integers(0, 25, 700) * 3
    train, test = split_by_reference(references, share, seed)
    assert not set(references[train]) & set(references[test])
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(700))
    assert len(set(references[test])) == max(1, round(share * len(set(references))))
    again = split_by_reference(references, share, seed)
    assert np.array_equal(again[0], train) and np.array_equal(again[1], test)


def test_splits_differ_by_seed_and_not_by_the_order_of_images(rng):
    references = np.repeat(np.arange(20), 4)
    held = [frozenset(references[split_by_reference(references, 0.2, seed)[1]]) for seed in range(10)]
    assert len(set(held)) > 5
    shuffled = rng.permutation(references)
    assert frozenset(shuffled[split_by_reference(shuffled, 0.2, 0)[1]]) == held[0]


def test_impossible_splits():
    assert split_by_reference(np.arange(4), 0, 0)[1].size == 0
    for references, share in ((np.zeros(9, int), 0.2), (np.arange(9), 1.0), (np.arange(9), -0.1), (np.arange(3), 0.9)):
        with pytest.raises(ValueError, match="test_share"):
            split_by_reference(references, share, 0)


def test_rows_of_scored(tmp_path):
    scored = read_scores(tid(tmp_path / "tid", LINES)).take(np.array([2, 0]))
    assert scored.scores.tolist() == [3, 5.5] and scored.references.tolist() == [1, 0]
    assert scored.levels.tolist() == [2, 1]
    assert [path.lower() for path in scored.paths] == ["i02_24_2.bmp", "i01_01_1.bmp"]
    assert scores.describe(scored) == "2 images of 2 reference photos, 2 distortions, scores 0 to 9, higher is better"
