"""What can go is moved and brought back: with kills anywhere, a full disk, another device, clashes, and files that
changed meanwhile."""

import errno
import hashlib
import json
import os
import subprocess
import sys

import pytest

from apps.search.clearing import moving
from apps.search.clearing.moving import Going

from helpers import ROOT


@pytest.fixture
def photos(tmp_path):
    """Three copies of a picture in two folders, two of one name, and the picture that stays for them."""
    files = {"photos/keep.jpg": b"keep" * 500, "photos/a.jpg": b"a" * 70_000, "more/a.jpg": b"another a",
             "more/b \udce9\n.jpg": b"b"}
    for name, contents in files.items():
        path = os.path.join(tmp_path, os.fsencode(name).decode("utf-8", "surrogateescape"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(contents)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return tmp_path


def goings(root, names=("photos/a.jpg", "more/a.jpg", "more/b \udce9\n.jpg")):
    keep = str(root / "photos" / "keep.jpg")
    return [Going(os.path.join(root, name), keep, sha1(os.path.join(root, name)), sha1(keep)) for name in names]


def sha1(path):
    with open(path, "rb") as file:
        return hashlib.sha1(file.read()).hexdigest()


def tree(root):
    """Contents and times of all files but logs, by path."""
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names]
    return {os.path.relpath(path, root): (sha1(path), os.stat(path).st_mtime) for path in paths
            if not path.endswith(".jsonl")}


def put_on(device, monkeypatch):
    """Makes "gone" another device, or the system one that has no links, such as FAT."""
    link = os.link

    def refused(source, target):
        if device == "without links":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        if ("/gone" in str(source)) != ("/gone" in str(target)):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        link(source, target)

    if device != "the same":
        monkeypatch.setattr(os, "link", refused)


@pytest.mark.parametrize("device", ["the same", "another", "without links"])
def test_there_and_back(device, photos, monkeypatch, capsys):
    put_on(device, monkeypatch)
    before, target = tree(photos), str(photos / "gone")
    planned = moving.plan(goings(photos), target)
    log, moved = moving.move(goings(photos), target)
    assert [(row.old, os.path.join(target, row.name)) for row in moved] == planned
    assert sorted(row.name for row in moved) == ["a (2).jpg", "a.jpg", "b \udce9\n.jpg"]
    assert sorted(tree(photos).values()) == sorted(before.values()) and os.listdir(photos / "photos") == ["keep.jpg"]
    assert f"moved 3 files of 3 into {target}; python predict.py --undo={log}" in capsys.readouterr().out
    back, problems = moving.undo(log)
    assert len(back) == 3 and not problems and tree(photos) == before
    assert moving.undo(log) == (back, []) and tree(photos) == before  # again: nothing left to do


def test_the_folder_itself_may_be_moved_before_all_is_brought_back(photos):
    before = tree(photos)
    log, _ = moving.move(goings(photos), str(photos / "gone"))
    os.rename(photos / "gone", photos / "elsewhere")
    os.rmdir(photos / "more")  # empty now, so a person may tidy it away
    moving.undo(str(photos / "elsewhere" / os.path.basename(log)))
    assert tree(photos) == before


@pytest.mark.parametrize("what, device", [("move", "the same"), ("move", "another"), ("move", "without links"),
                                          ("undo", "the same"), ("undo", "another")])
def test_killed_anywhere_nothing_is_lost_and_all_comes_back(what, device, photos):
    """A child process is killed at its first system call that changes something, then another one at its second, and
    so on until one gets through."""
    program = f"""
import errno, glob, hashlib, json, os, shutil, signal, sys
from apps.search.clearing import moving

root, what, device = {str(photos)!r}, {what!r}, {device!r}
names = ["photos/a.jpg", "more/a.jpg", "more/b \\udce9\\n.jpg"]
def sha1(path):
    return hashlib.sha1(open(path, "rb").read()).hexdigest()
def tree(folder):
    paths = [os.path.join(f, n) for f, _, ns in os.walk(folder) for n in ns if not n.endswith(".jsonl")]
    return {{os.path.relpath(p, folder): (sha1(p), os.stat(p).st_mtime) for p in paths}}
def die_at(number):
    left = [number]
    def counting(name, after):
        function = getattr(os, name)
        def call(*args, **kwargs):
            if not after: count()
            result = function(*args, **kwargs)
            if after: count()
            return result
        setattr(os, name, call)
    def count():
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
    for name in ("fsync", "link", "remove", "replace", "open"):
        counting(name, False)
        counting(name, True)
    for module, name in ((shutil, "copyfile"), (shutil, "copystat")):
        def cut(*args, function=getattr(module, name), copying=name == "copyfile"):
            if copying and left[0] == 1:
                open(args[1], "wb").write(open(args[0], "rb").read()[:10])
            count()
            function(*args)
        setattr(module, name, cut)
def other_device(link=os.link):
    def refused(source, target):
        if device == "without links" or ("/gone" in source) != ("/gone" in target):
            raise OSError(errno.EXDEV, "another device")
        link(source, target)
    os.link = refused

before = tree(root)
number, kills = 0, 0
while True:
    number += 1
    folder = os.path.join(root, "gone %d" % number)
    keep = os.path.join(root, "photos/keep.jpg")
    goings = [moving.Going(os.path.join(root, n), keep, sha1(os.path.join(root, n)), sha1(keep)) for n in names]
    if what == "undo":
        moving.move(goings, folder)
    child = os.fork()
    if not child:
        if device != "the same":
            other_device()
        die_at(number)
        moving.move(goings, folder) if what == "move" else moving.undo(glob.glob(folder + "/*.jsonl")[0])
        os._exit(0)
    ended = os.waitpid(child, 0)[1]
    kills += ended != 0
    held = {{key for key, _ in tree(root).values()}}
    assert {{key for key, _ in before.values()}} <= held, (number, "lost")
    for log in glob.glob(folder + "/*.jsonl"):
        problems = moving.undo(log)[1]
        assert not problems, (number, problems)
    after = tree(root)
    assert after == before, (number, after.keys() ^ before.keys())
    if not ended:
        break
print(json.dumps(kills))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) > (20 if device == "the same" else 30)


@pytest.mark.parametrize("call", ["log", "copy"])
def test_a_full_disk_stops_the_move_and_loses_nothing(call, photos, monkeypatch, capsys):
    """At the second file: the first one is moved, the others stay, and no half of one is left."""
    put_on("another", monkeypatch)
    module, name = (moving, "append") if call == "log" else (moving.shutil, "copyfile")
    function, count = getattr(module, name), [0]

    def full(*args):
        count[0] += 1
        if count[0] == 2:
            if call == "copy":
                with open(args[1], "wb") as file:
                    file.write(b"half")
            else:
                args[0].write(b'{"from": "/half')
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return function(*args)

    monkeypatch.setattr(module, name, full)
    before, target = tree(photos), photos / "gone"
    with pytest.raises(OSError, match="No space") as error:
        moving.move(goings(photos), str(target))
    assert call == "log" or error.value.filename == str(target / "a (2).jpg")
    text = capsys.readouterr().out
    assert "moved 1 file of 3" in text and "--undo=" in text
    (log,) = target.glob("*.jsonl")
    assert sorted(os.listdir(target)) == ["a.jpg", log.name]
    assert sorted(tree(photos).values()) == sorted(before.values())
    back, problems = moving.undo(str(log))
    assert not problems and tree(photos) == before


def test_a_disk_that_takes_half_a_line_of_the_log_is_full(photos, monkeypatch):
    class Half:
        name = "log"

        def write(self, line):
            return len(line) // 2

    with pytest.raises(OSError, match="No space"):
        moving.append(Half(), {"from": "a"})


def test_a_copy_that_came_out_otherwise_keeps_the_picture(photos, monkeypatch, capsys):
    put_on("another", monkeypatch)
    before = tree(photos)
    copyfile = moving.shutil.copyfile

    def damaging(source, aside):
        copyfile(source, aside)
        with open(aside, "ab") as file:
            file.write(b"!")

    monkeypatch.setattr(moving.shutil, "copyfile", damaging)
    _, moved = moving.move(goings(photos), str(photos / "gone"))
    assert not moved and tree(photos) == before and "the copy of it is another one" in capsys.readouterr().out


def test_what_vanished_or_changed_meanwhile_stays(photos, capsys):
    wished = goings(photos)
    (photos / "photos" / "a.jpg").write_bytes(b"edited")
    os.remove(photos / "more" / "a.jpg")
    last = wished[2].file
    os.rename(last, last + "x")
    os.symlink(last + "x", last)
    _, moved = moving.move(wished, str(photos / "gone"))
    text = capsys.readouterr().out
    assert not moved and "a.jpg (it has changed since it was looked at)" in text
    assert "a.jpg (it is gone)" in text and "(a link)" in text and "moved 0 files of 3" in text
    assert (photos / "photos" / "a.jpg").read_bytes() == b"edited" and os.path.islink(last)


@pytest.mark.parametrize("how, says", [("gone", "keep.jpg, which is to stay for it, is gone"),
                                       ("changed", "keep.jpg, which is to stay for it, has changed")])
def test_nothing_goes_where_the_picture_that_stays_does_not(how, says, photos, capsys):
    wished, keep = goings(photos), photos / "photos" / "keep.jpg"
    os.remove(keep) if how == "gone" else keep.write_bytes(b"edited")
    before = tree(photos)
    _, moved = moving.move(wished, str(photos / "gone"))
    assert not moved and tree(photos) == before and capsys.readouterr().out.count(says) == 3


def test_a_file_never_goes_for_itself(photos, capsys):
    os.link(photos / "photos" / "keep.jpg", photos / "photos" / "again.jpg")
    _, moved = moving.move(goings(photos, ["photos/again.jpg"]), str(photos / "gone"))
    assert not moved and "it is the file that stays" in capsys.readouterr().out


def test_undo_writes_over_nothing(photos):
    """Another file at an old place, a file that was edited after the move, and one that somebody took away."""
    log, moved = moving.move(goings(photos), str(photos / "gone"))
    new = photos / "photos" / "a.jpg"
    new.write_bytes(b"new")
    edited = photos / "gone" / "a (2).jpg"
    edited.write_bytes(b"edited")
    os.remove(photos / "gone" / moved[2].name)
    back, problems = moving.undo(log)
    assert not back and len(problems) == 3 and new.read_bytes() == b"new" and edited.read_bytes() == b"edited"
    assert "another file stands there" in " ".join(problems) and "has changed since it was moved" in " ".join(problems)
    assert "is neither there nor at" in " ".join(problems)
    os.remove(new)
    assert moving.undo(log)[0] == [str(new)] and new.read_bytes() == b"a" * 70_000
    os.remove(new)  # a link at the old place is not the file
    os.symlink(photos / "photos" / "keep.jpg", new)
    assert not moving.undo(log)[0] and os.path.islink(new)


def test_a_name_that_somebody_takes_meanwhile_is_left_alone(photos, monkeypatch):
    link, target = os.link, photos / "gone"

    def taken(source, path):
        if not (target / "a.jpg").exists():
            (target / "a.jpg").write_bytes(b"of somebody else")
        link(source, path)

    monkeypatch.setattr(os, "link", taken)
    before = tree(photos)
    log, moved = moving.move(goings(photos), str(target))
    assert (target / "a.jpg").read_bytes() == b"of somebody else"
    assert [row.name for row in moved][:2] == ["a (2).jpg", "a (3).jpg"]
    assert moving.undo(log)[1] == [] and (target / "a.jpg").read_bytes() == b"of somebody else"
    os.remove(target / "a.jpg")
    assert tree(photos) == before


def test_a_folder_that_may_not_be_written_to_keeps_its_pictures(photos, monkeypatch, capsys):
    remove = os.remove

    def refused(path):
        if "more" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        remove(path)

    monkeypatch.setattr(os, "remove", refused)
    _, moved = moving.move(goings(photos), str(photos / "gone"))
    assert [row.name for row in moved] == ["a.jpg"]
    assert capsys.readouterr().out.count("(Permission denied)") == 2
    assert len([name for name in os.listdir(photos / "gone") if not name.endswith(".jsonl")]) == 1


@pytest.mark.parametrize("text", ["no log\n", '{"from": "/a"}\n', '["from"]\n',
                                  '{"from": "/a", "to": "../b", "sha1": "0"}\n',
                                  '{"from": 1, "to": "b", "sha1": ""}\n'])
def test_what_is_no_log_is_one_line(text, tmp_path):
    (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(ValueError, match="log.jsonl: cannot be read.*expected a log that --move_to wrote") as error:
        moving.undo(str(tmp_path / "log.jsonl"))
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="none.jsonl: cannot be read"):
        moving.undo(str(tmp_path / "none.jsonl"))


def test_where_to_move(photos):
    (photos / "file").write_text("")
    with pytest.raises(ValueError, match="received a file, expected a folder"):
        moving.check_target(str(photos / "file"), [str(photos / "photos")])
    os.symlink(photos / "photos", photos / "link")
    for inside in ("photos", "photos/gone", "link/gone"):
        with pytest.raises(ValueError, match="would be found again; expected a folder beside"):
            moving.check_target(str(photos / inside), [str(photos / "more"), str(photos / "photos")])
    moving.check_target(str(photos / "photos of 2026"), [str(photos / "photos")])
