"""The scripts, run as a user runs them: each in a process of its own, in an empty folder."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image, ImageOps

from nets.losses import LOSSES
from nets.models import rankiqa, siamese
from tasks.models import load_model
from utils.run import folder as runs

from forked import run_program
from helpers import ROOT, SMALL, paths_of, picture, small_ranker, start, wait_for_epoch, weights_of, write_h5


@pytest.fixture(scope="module")
def trained(alphabets, tmp_path_factory):
    """A folder with one finished run of two epochs."""
    cwd = tmp_path_factory.mktemp("trained")
    code, out, err = run_program(ROOT / "train.py", f"--dataset_path={alphabets}", "--epochs=2", "--steps_per_epoch=15",
                         "--run=one", *SMALL, cwd=cwd)
    assert code == 0, out + err
    return cwd, out


def test_train_says_what_it_found_and_leaves_a_whole_run(trained):
    cwd, out = trained
    assert "found 192 images of 32 classes in 8 groups" in out and "6 / 6 / 6" in out
    assert "classes in two parts: 0" in out and "a batch: 4 classes x 2 images, grey levels 0 to 255" in out
    assert "verification on 8 held-out classes" in out and "next: python predict.py" in out
    assert set(os.listdir(cwd / "logs" / "one")) - {"tensorboard"} == {
        "about.json", "batch.png", "best.keras", "classes.csv", "curves.png", "evaluation.json", "flags.txt",
        "last.keras",
        "log.csv", "map.png", "mistakes.png", "split.json", "state.weights.h5", "thresholds.json", "verification.png",
    }
    split = json.loads((cwd / "logs" / "one" / "split.json").read_text())
    assert not set(split["train_classes"]) & (set(split["validation"]) | set(split["test"]))


def test_predict_answers_once(trained, script, alphabets):
    cwd, _ = trained
    files = sorted((alphabets / "images_evaluation" / "Hebrew" / "character01").iterdir())
    answer = json.loads(script("predict.py", files[0], files[1], "--json", cwd=cwd).splitlines()[-1])
    assert set(answer) == {"similarity", "same", "threshold", "warning", "different_as_alike"}
    assert answer["warning"] is None and 0 < answer["different_as_alike"] <= 0.5
    assert answer["same"] == (answer["similarity"] >= answer["threshold"])
    assert (cwd / "predict.png").stat().st_size > 1000
    itself = json.loads(script("predict.py", files[0], files[0], "--json", "--threshold=.5", cwd=cwd).splitlines()[-1])
    assert itself["similarity"] >= answer["similarity"] and itself["threshold"] == 0.5
    assert "pass two pictures" in script("predict.py", files[0], cwd=cwd, expect=2)


@pytest.mark.slow
def test_predict_says_why(trained, script, alphabets):
    cwd, _ = trained
    files = sorted((alphabets / "images_evaluation" / "Hebrew" / "character01").iterdir())
    *_, line, figure, last = script("predict.py", "--why", files[0], files[1], "--json", cwd=cwd).splitlines()
    assert line.startswith("why: ") and figure == "figure: why.png" and (cwd / "why.png").stat().st_size > 10_000
    found = json.loads(last)["why"]
    boxes = np.array([window["box"] for window in found["left"]["for"]])
    # of pictures of 105 x 105 pixels
    assert set(found) == {"left", "right", "pairs"} and (boxes[:, :2] + boxes[:, 2:]).max() <= 106
    assert "--why explains two pictures" in script("predict.py", "--why", f"--gallery={cwd}", files[0], cwd=cwd,
                                                   expect=2)


@pytest.mark.slow
def test_gallery_and_duplicates(trained, script, alphabets, tmp_path):
    cwd, _ = trained
    folder = tmp_path / "gallery"
    shutil.copytree(alphabets / "images_evaluation" / "Hebrew", folder)
    query = folder / "character01" / "01.png"
    args = (f"--gallery={folder}", query, "--top=3", "--json", f"--csv={tmp_path / 'found.csv'}")
    first, again = (json.loads(script("predict.py", *args, cwd=cwd).splitlines()[-1]) for _ in range(2))
    assert (first["embedded"], again["embedded"]) == (24, 0) and first["results"] == again["results"]
    assert len(first["results"]) == 3
    assert os.path.join("character01", "01.png") not in [row["file"] for row in first["results"]]  # the query itself
    assert (tmp_path / "found.csv").read_text().count("\n") == 4 and (cwd / "gallery.png").stat().st_size > 1000
    shutil.copy(query, folder / "copy.png")
    found = json.loads(script("predict.py", f"--duplicates={folder}", "--threshold=.98", "--json",
                              cwd=cwd).splitlines()[-1])
    assert any({"copy.png", os.path.join("character01", "01.png")} <= set(group) for group in found["groups"])


@pytest.mark.parametrize("loss", [pytest.param(name, marks=pytest.mark.slow if name == "triplet" else pytest.mark.rare)
                                  for name, row in LOSSES.items() if not row.trains_head])
def test_triplet_task(loss, alphabets, script, tmp_path):
    mining = ["--mining=all"] * ("mining" in LOSSES[loss].settings)
    out = script("train.py", "--task=triplet", f"--loss={loss}", *mining, f"--dataset_path={alphabets}", "--epochs=1",
                 "--steps_per_epoch=5", "--run=t", *SMALL)
    assert "recall@1" in out and ("active_triplets" in out) == (loss in ("triplet", "ratio"))
    head = keras.saving.load_model(tmp_path / "logs" / "t" / "best.keras", compile=False).get_layer("head")
    assert [float(w) for w in head.get_weights()] != [0.5, 8.0]  # fitted


@pytest.mark.slow
def test_predict_asks_again_and_again(trained, script, alphabets, tmp_path):
    cwd, _ = trained
    good = str(next((alphabets / "images_evaluation" / "Lao" / "character01").iterdir()))
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    out = script("predict.py", "--nofigure", cwd=cwd, stdin=f"none.png\n'{good}'\n{bad}\n{good}\n\n")
    assert "none.png: no such file; try again" in out
    assert "bad.png: not an image that Pillow can read; try again" in out
    assert out.count("same (") == 1 and out.count("second picture: ") == 2  # the good first one is kept
    assert script("predict.py", "--nofigure", cwd=cwd, stdin=good).count("(0.") == 0  # Ctrl-D after one name


def test_predict_without_a_run_uses_the_ready_model(script, alphabets, tmp_path):
    files = sorted((alphabets / "images_evaluation" / "Hebrew" / "character01").iterdir())
    out = script("predict.py", files[0], files[0], "--json")
    assert "omniglot_compact" in out and json.loads(out.splitlines()[-1])["same"]


@pytest.mark.slow
def test_a_run_that_has_had_its_epochs_stays_as_it_is(trained, script, tmp_path):
    """--resume says so, and writes nothing; where what it learnt was not measured, it is, and flags that no epoch used
    are not written."""
    shutil.copytree(trained[0] / "logs", tmp_path / "logs")  # keeps the times, by which what came last is told
    run = tmp_path / "logs" / "one"
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    said = script("train.py", "--resume", "--patience=5", "--learning_rate=.5")
    assert ("nothing is left to train in logs/one: it has had 2 epochs, and --epochs=2 asks for no more. It stays "
            "as it is; --resume --run=one --epochs=4 trains on") in said and "continuing" not in said
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    (run / "about.json").unlink()
    said = script("train.py", "--resume", "--patience=5")
    assert "no epoch is left to train; what it learnt is measured now" in said and (run / "about.json").is_file()
    assert (run / "flags.txt").read_bytes() == before["flags.txt"]


def test_evaluation_repeats_what_training_said(trained, script):
    cwd, _ = trained
    before = json.loads((cwd / "logs" / "one" / "evaluation.json").read_text())
    found = json.loads(script("evaluate.py", "--json", cwd=cwd).splitlines()[-1])
    assert found == pytest.approx(before)
    assert {"accuracy", "roc_auc", "eer", "fpr95"} < set(found)


@pytest.mark.rare
def test_evaluation_on_other_images_names_the_overlap(trained, script, alphabets, tmp_path):
    cwd, _ = trained
    out = script("evaluate.py", f"--dataset_path={alphabets / 'images_background'}", f"--out={tmp_path / 'out'}",
                 cwd=cwd)
    assert "left out 20 classes that training saw; 4 remain" in out
    assert (tmp_path / "out" / "thresholds.json").is_file()


@pytest.mark.rare
def test_a_run_is_measured_from_another_folder_and_goes_on_with_moved_data(chapters, script, tmp_path):
    chapters(*[4] * 12, name="home/pics")
    home, away = tmp_path / "home", tmp_path / "away"
    away.mkdir()
    script("train.py", "--backbone=compact", "--train_own_data", "--dataset_path=pics", "--epochs=1",
           "--steps_per_epoch=2", "--run=r",
           "--splits=1", *SMALL, cwd=home)
    split = home / "logs" / "r" / "split.json"
    assert json.loads(split.read_text())["root"] == str(home / "pics")
    args = ("evaluate.py", "--model=../home/logs/r", "--json")
    new = json.loads(script(*args, cwd=away).splitlines()[-1])
    split.write_text(json.dumps(json.loads(split.read_text()) | {"root": "pics"}))  # as older runs wrote it
    assert json.loads(script(*args, cwd=away).splitlines()[-1]) == pytest.approx(new)
    shutil.move(home / "pics", away / "moved")
    assert "found no test images" in script(*args, cwd=away, expect=2)
    out = script(*args, "--dataset_path=moved", "--train_own_data", cwd=away)
    assert "is taken for the same data, moved" in out and "classes that training saw" in out
    script("train.py", "--resume", f"--dataset_path={away / 'moved'}", "--epochs=2", cwd=home)
    assert json.loads(split.read_text())["root"] == str(away / "moved")


@pytest.mark.slow
def test_one_shot_runs(trained, script, omniglot):
    cwd, _ = trained
    out = script("evaluate.py", f"--one_shot_runs={omniglot / 'all_runs.zip'}", "--json", cwd=cwd)
    assert 0 < json.loads(out.splitlines()[-1])["one_shot_accuracy"] < 1


def test_a_backend_that_is_not_installed_is_named(script):
    missing = [name for name in ("jax", "torch", "tensorflow") if importlib.util.find_spec(name) is None]
    if not missing:
        pytest.skip("all backends are installed")
    assert f"{missing[0]} is not installed: pip install {missing[0]}" in script("predict.py", f"--backend={missing[0]}",
                                                                                expect=2)


@pytest.mark.rare
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="from TensorFlow and back")
@pytest.mark.parametrize("other", ["jax", "torch"])
def test_models_move_between_backends(other, trained, script, alphabets, tmp_path):
    if importlib.util.find_spec(other) is None:
        pytest.skip(f"no {other}")
    letters = sorted((alphabets / "images_evaluation" / "Lao" / "character01").iterdir())[:2]
    args = (f"--dataset_path={alphabets}", "--epochs=1", "--steps_per_epoch=2", "--run=there", f"--backend={other}",
            *SMALL)
    script("train.py", *args)
    for run in (trained[0] / "logs" / "one", tmp_path / "logs" / "there"):
        answers = [json.loads(script("predict.py", *letters, f"--model={run}", "--json", "--nofigure",
                                     f"--backend={backend}")
                              .splitlines()[-1])["similarity"] for backend in ("tensorflow", other)]
        assert answers[0] == pytest.approx(answers[1], abs=1e-4)


@pytest.mark.rare
def test_benchmark_prints_a_table_and_json(script):
    out = script("benchmark.py", "--parts=search,index,latency,pairs", "--gallery=100", "--embeddings=1000",
                 "--repeats=1",
                 "--batch_size=16", "--json")
    found = json.loads(out.splitlines()[-1])
    assert found["search: tower passes of the second, the query aside"] == 0
    assert all(value > 0 for name, value in found.items() if "tower passes" not in name)
    assert "expected some of" in script("benchmark.py", "--parts=speed", expect=1)


@pytest.mark.rare
def test_a_network_of_keras_applications_from_training_to_an_answer(alphabets, script, tmp_path):
    out = script("train.py", "--task=triplet", "--loss=supcon", "--backbone=mobilenet_v2", "--input_shape=32,32,3",
                 "--run=mobile",
                 f"--dataset_path={alphabets}", "--epochs=1", "--steps_per_epoch=2", "--batch_size=8",
                 "--images_per_class=2")
    assert "2/2" in out and "recall@1" in out
    letters = sorted((alphabets / "images_evaluation" / "Lao" / "character01").iterdir())[:2]
    answer = json.loads(script("predict.py", *letters, "--json", "--nofigure").splitlines()[-1])
    assert 0 <= answer["similarity"] <= 1 and answer["same"] == (answer["similarity"] >= answer["threshold"])


@pytest.mark.slow
def test_imagenet_without_a_network_leaves_no_run(alphabets, tmp_path):
    code = f"""
import runpy, sys, keras
def unreachable(*args, **kwargs):
    raise OSError("no network")
keras.applications.MobileNetV2 = unreachable
sys.argv = ["train.py", "--backbone=mobilenet_v2", "--weights=imagenet", "--dataset_path={alphabets}"]
runpy.run_path({str(ROOT / "train.py")!r}, run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    said = done.stderr.splitlines()[-1]  # TensorFlow, imported outside of the script, has said something before
    assert (done.returncode == 2
            and said.startswith("error: --weights=imagenet: could not fetch the weights of mobilenet_v2"))
    assert not (tmp_path / "logs").exists()


@pytest.mark.slow
@pytest.mark.parametrize("counts", [(1, 9, 2), pytest.param((2, 2), marks=pytest.mark.rare),
                                    pytest.param((1, 1), marks=pytest.mark.rare)])
def test_own_data_however_small(counts, chapters, script, tmp_path):
    root = chapters(*counts)
    (root / "chapter0" / "broken.jpg").write_bytes(b"\xff\xd8 no")
    out = script("train.py", "--train_own_data", f"--dataset_path={root}", "--epochs=1", "--steps_per_epoch=5",
                 "--run=own", "--splits=2",
                 "--weight_decay=0", "--optimizer=sgd", "--schedule=step", *SMALL)
    assert "no figure could be measured, so the other 1 of 2 splits are left out" in out
    assert "broken.jpg" in out and "split by image" in out and "quality is unknown" in out
    assert (tmp_path / "logs" / "own" / "best.keras").is_file()
    files = [root / "chapter0" / "0.png", root / "chapter1" / "0.png"]
    assert "not measured: there is no thresholds.json beside the model" in script("predict.py", *files, "--nofigure")
    answer = json.loads(script("predict.py", *files, "--json").splitlines()[-1])
    assert "the threshold 0.5 was not measured" in answer["warning"]


@pytest.mark.rare
def test_a_frozen_backbone_on_two_splits(chapters, script, tmp_path):
    """Features are computed once, two splits are trained, and the spread of both is told; a resumed run says the
    same."""
    flags = ("--train_own_data", f"--dataset_path={chapters(*[8] * 12)}", "--freeze", "--splits=2", "--epochs=2",
             "--steps_per_epoch=3",
             "--run=frozen", "--input_shape=32,32,3")
    out = script("train.py", *flags)
    assert "96 images, 96 of them computed now" in out and "96 images, 0 of them computed now" in out
    spread = [line for line in out.splitlines() if line.startswith("2 splits: ROC-AUC")]
    kept = json.loads((tmp_path / "logs" / "frozen" / "evaluation.json").read_text())
    second = json.loads((tmp_path / "logs" / "frozen" / "split2" / "evaluation.json").read_text())
    assert (len(spread) == 1 and kept["splits"]["roc_auc"] == [kept["roc_auc"], second["roc_auc"]]
            and second["seed"] == 1)
    assert spread[0] in script("train.py", "--resume", "--run=frozen")
    assert "logs/frozen/best.keras" in script("predict.py", *sorted((tmp_path / "pictures").rglob("*.png"))[:2],
                                              "--nofigure")


@pytest.mark.rare
def test_reading_from_disk_in_mixed_precision_with_the_articles_head(alphabets, script, tmp_path):
    out = script("train.py", f"--dataset_path={alphabets}", "--cache_gb=0", "--precision=mixed_bfloat16",
                 "--head=difference", "--epochs=1", "--steps_per_epoch=5", "--run=disk", *SMALL)
    assert "5/5" in out and "verification on 8 held-out classes" in out and "recall@1" not in out


@pytest.mark.rare
def test_vgg16_trains_on_from_the_weights_of_siamese_tf2(alphabets, script, tmp_path):
    weights = write_h5(tmp_path / "old.h5")
    out = script("train.py", f"--dataset_path={alphabets}", "--backbone=vgg16", "--head=plain", f"--weights={weights}",
                 "--epochs=1", "--steps_per_epoch=2", "--batch_size=4", "--images_per_class=2", "--run=vgg")
    assert "17,075,009 parameters" in out and "2/2" in out
    kept = tmp_path / "logs" / "vgg" / "best.keras"
    assert "17,075,009" in script("train.py", f"--dataset_path={alphabets}", f"--weights={kept}", "--epochs=1",
                                  "--steps_per_epoch=1", "--batch_size=4", "--images_per_class=2", "--run=again")
    assert "trains distances" in script("train.py", f"--dataset_path={alphabets}", f"--weights={kept}",
                                        "--loss=contrastive", expect=2)


BAD_INPUT = {
    ("--dataset_path={root}",): "pass --train_own_data",
    ("--resume",): "found no run in logs",
    ("--train_own_data", "--dataset_path={root}", "--noskip_broken"): "broken.jpg: the file is empty",
    ("--dataset_path=/none",): "/none: no such folder",
    ("--dataset_path={root}", "--train_own_data", "--devices=7"): "found 0 GPUs",
    ("--weights=none.h5", "--backbone=vgg16"): "none.h5: no such file",
    ("--freeze",): "random weights know nothing",
    ("--weights=none.h5",): "compact has no published weights",
    ("--loss=contrastive", "--head=plain"): "pass --head=distance",
    ("--input_shape=8,8,1",): "expected 32 or more pixels",
    ("--weights=README.keras",): "found no model at README.keras",
    ("--task=rank", "--backbone=shallow", "--input_shape=64,64,3"): "expected square crops in colour of 192 or more",
}
# said in other tests too, without a script
ELSEWHERE = ("no such", "found no model", "or more pixels", "published weights")
SLOW = [pytest.param(args, marks=pytest.mark.rare if any(words in said for words in ELSEWHERE) else pytest.mark.slow)
        for args, said in list(BAD_INPUT.items())[2:]]


@pytest.mark.parametrize("args", [*list(BAD_INPUT)[:2], *SLOW])
def test_bad_input_is_one_line_and_leaves_no_run(args, chapters, script, tmp_path):
    root = chapters(3, 3)
    (root / "chapter0" / "broken.jpg").write_bytes(b"")
    out = script("train.py", *(arg.format(root=root) for arg in args), expect=2)
    assert BAD_INPUT[args] in out and "Traceback" not in out and out.strip().splitlines()[-1].startswith("error: ")
    assert not (tmp_path / "logs").exists()


def test_what_would_be_written_elsewhere_or_over_what_is_read_is_refused(script, tmp_path):
    for run in ("../elsewhere", str(tmp_path / "elsewhere"), "a/../../elsewhere"):
        assert "expected the name of a folder in logs/" in script("train.py", f"--run={run}", expect=1)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("a.png,b.png,1\n")
    for flag in ("csv", "print0", "coco"):
        said = script("predict.py", f"--pairs={pairs}", f"--{flag}={tmp_path}/./pairs.csv", expect=2)
        assert "is the list of --pairs: pass another file" in said or flag != "csv" and f"--{flag}" in said
    said = script("predict.py", "--duplicates=.", f"--csv={tmp_path}/one", f"--print0={tmp_path}/./one", expect=2)
    assert "is the file of --csv: pass another file to write" in said
    assert pairs.read_text() == "a.png,b.png,1\n" and [path.name for path in tmp_path.iterdir()] == ["pairs.csv"]


def test_out_of_memory_names_the_flag():
    from utils.run.startup import out_of_memory

    class ResourceExhaustedError(Exception):
        pass

    assert out_of_memory(ResourceExhaustedError("OOM when allocating tensor"))
    assert out_of_memory(MemoryError()) and not out_of_memory(ValueError("no"))


@pytest.mark.slow
def test_killed_and_resumed_equals_uninterrupted(alphabets, tmp_path):
    """Bit for bit, on one CPU device: weights, log, and the model that was best."""
    args = (f"--dataset_path={alphabets}", "--epochs=4", "--steps_per_epoch=12", "--patience=9", *SMALL)
    whole = start(tmp_path, *args, "--run=whole")
    assert whole.wait() == 0, whole.stdout.read()
    killed = start(tmp_path, *args, "--run=killed")
    wait_for_epoch(killed, tmp_path / "logs" / "killed" / "log.csv", 1)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert len((tmp_path / "logs" / "killed" / "log.csv").read_text().splitlines()) < 5
    resumed = start(tmp_path, "--resume", "--run=killed", "--cache_gb=3")
    assert resumed.wait() == 0, resumed.stdout.read()
    assert "--cache_gb=3.0" in (tmp_path / "logs" / "killed" / "flags.txt").read_text().splitlines()
    for name in ("last.keras", "best.keras"):
        one, two = (weights_of(tmp_path / "logs" / run / name) for run in ("whole", "killed"))
        assert all(np.array_equal(a, b) for a, b in zip(one, two))
    logs = [(tmp_path / "logs" / run / "log.csv").read_text() for run in ("whole", "killed")]
    assert logs[0] == logs[1]


@pytest.mark.rare
def test_a_run_whose_images_have_changed_cannot_go_on(chapters, script, tmp_path):
    root = chapters(3, 3)
    script("train.py", "--train_own_data", f"--dataset_path={root}", "--epochs=1", "--steps_per_epoch=2", "--run=a",
           *SMALL)
    picture(root / "chapter0" / "new.png")
    assert "have changed since it began" in script("train.py", "--resume", "--run=a", "--epochs=2", expect=2)


@pytest.mark.slow
@pytest.mark.parametrize("damage, message", [
    (("flag", "--input_shape=64,64,3"), "cannot change with --resume"),
    (("split.json", lambda text: text[:60]), "split.json: cannot be read"),
    (("state.weights.h5", lambda text: ""), "state.weights.h5: cannot be read"),
    *(pytest.param(damage, message, marks=pytest.mark.rare) for damage, message in [
        (("log.csv", lambda text: text.replace("spread", "other")), "log.csv: has no column for spread"),
        (("best.keras", lambda text: text[:500]), "best.keras: cannot be read"),
        (("split.json", lambda text: '{"root": "x", "test": 7.5}'), "split.json: cannot be read (test is 7.5)")]),
    (("flag", "--backend=jax"), "was saved on tensorflow, and this is jax"),
])
def test_nothing_of_a_run_is_written_before_it_was_read_and_fits(damage, message, trained, tmp_path, script):
    root = shutil.copytree(trained[0], tmp_path / "copy")
    what, change = damage
    if callable(change):
        path = root / "logs" / "one" / what
        path.write_text(change(path.read_text(errors="replace")))
    before = {file: file.read_bytes() for file in (root / "logs").rglob("*") if file.is_file()}
    out = script("train.py", "--resume", "--run=one", "--epochs=3", *([] if callable(change) else [change]), cwd=root,
                 expect=2)
    assert message in out and "Traceback" not in out and out.strip().splitlines()[-1].startswith("error: ")
    assert before == {file: file.read_bytes() for file in (root / "logs").rglob("*") if file.is_file()}


@pytest.mark.slow
def test_a_training_that_diverges_ends_with_an_exit_code_that_says_so(alphabets, script, tmp_path):
    out = script("train.py", f"--dataset_path={alphabets}", "--epochs=2", "--steps_per_epoch=3", "--optimizer=sgd",
                 "--learning_rate=1e30",
                 "--run=nan", *SMALL, expect=2)
    assert "error: training diverged in epoch 1" in out and "Traceback" not in out
    assert not (tmp_path / "logs" / "nan" / "last.keras").exists()


@pytest.mark.rare
@pytest.mark.parametrize("text, message", [
    ("[]", "thresholds.json: cannot be read"), ("null", "thresholds.json: cannot be read"),
    ('{"best_accuracy": NaN}', "best_accuracy is nan"),
])
def test_a_damaged_threshold_is_refused_unless_one_is_passed(text, message, script, tmp_path):
    shutil.copytree(ROOT / "model_data" / "omniglot_compact", tmp_path / "model")
    (tmp_path / "model" / "thresholds.json").write_text(text)
    picture(tmp_path / "a.png")
    args = ("predict.py", "a.png", "a.png", "--model=model", "--json", "--nofigure")
    assert message in script(*args, expect=2)
    assert json.loads(script(*args, "--threshold=.5").splitlines()[-1])["same"]


@pytest.mark.slow
def test_a_closed_standard_input_is_one_line(tmp_path):
    done = subprocess.run(["bash", "-c", '"$@" <&-', "bash", sys.executable, str(ROOT / "predict.py")], cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.returncode == 2 and "the standard input is closed" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_ctrl_c_leaves_a_usable_model(alphabets, tmp_path, script):
    process = start(tmp_path, f"--dataset_path={alphabets}", "--epochs=500", "--steps_per_epoch=12", "--run=stopped",
                    *SMALL, fresh=True)
    wait_for_epoch(process, tmp_path / "logs" / "stopped" / "log.csv", 1)
    process.send_signal(signal.SIGINT)
    out = process.communicate(timeout=120)[0]
    assert process.returncode == 0 and "python train.py --resume continues" in out
    assert (tmp_path / "logs" / "stopped" / "thresholds.json").is_file()
    assert (tmp_path / "logs" / "stopped" / "state.weights.h5").is_file()
    picture(tmp_path / "a.png")
    run = next((tmp_path / "logs").iterdir())
    assert f"model {run}" in script("predict.py", f"--model={run}", tmp_path / "a.png", tmp_path / "a.png")


@pytest.mark.rare
def test_a_full_disk_is_one_line_and_corrupts_nothing(alphabets, tmp_path):
    """A limit on the size of files stands in for the disk: the model fits below it, the optimizer's state does not."""
    limited = ["bash", "-c", 'ulimit -f "$0" && exec "$@"', "3000", sys.executable, str(ROOT / "train.py")]
    done = subprocess.run([*limited, f"--dataset_path={alphabets}", "--epochs=2", "--steps_per_epoch=2", "--run=full",
                           *SMALL],
                          cwd=tmp_path, capture_output=True, text=True)
    folder = tmp_path / "logs" / "full"
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("error: no room to write ") and done.stderr.count("\n") == 1
    assert "logs/full/state.weights.h5: the disk" in done.stderr and "--resume" in done.stderr
    assert not [name for name in os.listdir(folder) if ".new" in name]
    assert load_model(str(folder / "best.keras"), siamese.KIND).name == siamese.KIND
    resumed = subprocess.run([sys.executable, str(ROOT / "train.py"), "--resume"], cwd=tmp_path, capture_output=True,
                             text=True)
    assert resumed.returncode == 0 and len(runs.read_log(str(folder))) == 2, resumed.stderr


@pytest.mark.slow
def test_two_devices_give_the_loss_of_one(chapters, tmp_path, script):
    args = (f"--dataset_path={chapters(4, 4, 4, 4)}", "--train_own_data", "--splits=1", "--epochs=1",
            "--steps_per_epoch=3", "--optimizer=sgd", "--learning_rate=1e-4", *SMALL)
    script("train.py", *args, "--run=one")
    script("train.py", *args, "--run=two", "--devices=cpu:2")
    one, two = (np.genfromtxt(tmp_path / "logs" / run / "log.csv", delimiter=",", names=True) for run in ("one", "two"))
    for name in ("loss", "same_distance", "different_distance", "spread"):
        assert two[name] == pytest.approx(one[name], rel=1e-3), name


SMALL_RANK = ("--input_shape=64,64,3", "--photos_per_batch=2", "--batch_size=20", "--distortions=gaussian_blur,jpeg")


@pytest.mark.slow
def test_rank_then_finetune_then_score(photo_folder, script, tmp_path):
    """The whole way of a person, from photos to the score of one."""
    folder = shutil.copytree(photo_folder, tmp_path / "photos")
    out = script("train.py", "--task=rank", f"--dataset_path={folder}", "--epochs=2", "--steps_per_epoch=3",
                 "--run=rank", *SMALL_RANK)
    assert "found 6 photos" in out and "4 to train on, 1 to validate, 1 to test" in out and "waited" in out
    assert {"about.json", "best.keras", "order.json", "order.png", "batch.png",
            "curves.png"} <= set(os.listdir(tmp_path / "logs" / "rank"))
    out = script("eval_rank.py", "--distortions=jpeg,contrast", "--json")
    assert set(json.loads(out.splitlines()[-1])) == {"jpeg", "contrast", "mean"}
    kept = tmp_path / "logs" / "rank" / "best.keras"
    before = keras.saving.load_model(kept, compile=False).get_weights()
    script("train.py", "--resume", "--run=rank")  # a run that has finished
    after = keras.saving.load_model(kept, compile=False).get_weights()
    assert all(np.allclose(a, b, rtol=1e-4) for a, b in zip(before, after))
    listed = tmp_path / "scores.txt"
    listed.write_text("".join(f"{path} {number}\n" for number, path in enumerate(paths_of(folder))))
    (folder / "broken.png").write_text("no picture")
    listed.write_text(listed.read_text() + f"{folder / 'broken.png'} 3\n")
    args = ("train.py", "--task=finetune", f"--dataset_path={listed}", "--weights=logs/rank", "--epochs=1",
            "--batch_size=4", "--steps_per_epoch=2", "--val_share=.2", "--test_share=.5", "--run=fine",
            "--input_shape=80,80,3")
    assert "--higher_is_better" in script(*args, expect=2) and not (tmp_path / "logs" / "fine").exists()
    out = script(*args, "--nohigher_is_better")
    assert out.count("were learnt by logs/rank, from which this training started: the figures say too much") == 2
    assert "agreement with people" in out and "broken.png: not an image" in out and "crops of 80 x 80 pixels" in out
    (folder / "broken.png").unlink()
    listed.write_text(listed.read_text().replace(f"{folder / 'broken.png'} 3\n", ""))
    answer = json.loads(script("predict.py", "--quality", folder, "--json", "--csv=q.csv").splitlines()[-1])
    scores = [row["score"] for row in answer["results"]]
    assert not answer["higher_is_better"] and len(scores) == 6 and scores == sorted(scores)
    assert (tmp_path / "quality.png").is_file() and (tmp_path / "q.csv").read_text().count("\n") == 7
    for path in paths_of(folder)[:3]:  # photos that neither run saw
        ImageOps.mirror(Image.open(path)).save(f"{path}.png")
    listed.write_text(listed.read_text() + "".join(f"{path}.png {5 - number}\n"
                                                   for number, path in enumerate(paths_of(folder)[:6:2])))
    out = script("eval_rank.py", f"--scores={listed}", "--nohigher_is_better", "--splits=2")
    assert "4 images of 4 reference photos" in out and "left out 5 photos that training saw" in out
    assert "4 photos are too few to say how well it agrees" in out
    told = script("predict.py", "--quality", folder / "0.png", "--nofigure")
    assert "with scores of people; but " in told and "of the 3 pictures to test on" in told
    assert "srocc" in out and (tmp_path / "logs" / "fine" / "agreement.json").is_file()
    assert "a rankiqa model, expected a siamese model" in script(
        "predict.py", folder / "0.png", folder / "1.png", "--model=logs/rank", "--task=similarity", expect=2)


@pytest.mark.rare
def test_killed_while_ranking_and_resumed_equals_uninterrupted(photo_folder, tmp_path):
    args = ("--task=rank", f"--dataset_path={photo_folder}", "--epochs=3", "--steps_per_epoch=4", "--workers=1",
            "--devices=cpu", *SMALL_RANK)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for cwd in (whole, cut):
        cwd.mkdir()
    assert start(whole, *args, "--run=r").wait(300) == 0
    process = start(cut, *args, "--run=r")
    wait_for_epoch(process, cut / "logs" / "r" / "log.csv", 0)
    workers = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    process.kill()
    process.wait()
    assert start(cut, "--resume").wait(300) == 0
    both = [keras.saving.load_model(cwd / "logs" / "r" / "last.keras", compile=False).get_weights()
            for cwd in (whole, cut)]
    assert all(np.array_equal(a, b) for a, b in zip(*both))
    assert workers and not any(os.path.exists(f"/proc/{worker}") for worker in workers)


@pytest.mark.rare
def test_rank_without_a_test_part_and_from_a_model_whose_scores_fall(photo_folder, script, tmp_path):
    small_ranker().save(tmp_path / "dmos.keras")  # as fine-tuned to DMOS
    out = script("train.py", "--task=rank", f"--dataset_path={photo_folder}", "--epochs=1", "--steps_per_epoch=2",
                 "--run=rank",
                 "--test_share=0", "--val_share=0", f"--weights={tmp_path / 'dmos.keras'}", "--photos_per_batch=2",
                 "--distortions=gaussian_blur,jpeg", "--devices=cpu:2")
    assert "photos of the train part" in out
    again = rankiqa.scorer(keras.saving.load_model(tmp_path / "logs" / "rank" / "best.keras", compile=False))
    assert again.higher_is_better and again.side == 64
    assert "expected photos to train on" in script(
        "train.py", "--task=rank", f"--dataset_path={photo_folder}", "--input_shape=64,64,3", "--val_share=.9",
        "--test_share=.9", expect=2)


@pytest.mark.slow
def test_bad_input_of_ranking_is_one_line(photo_folder, script, tmp_path):
    picture(tmp_path / "small" / "a.png")
    args = ("train.py", "--task=rank", "--epochs=1", "--steps_per_epoch=1")
    assert "expected two or more" in script(*args, f"--dataset_path={tmp_path / 'small'}", expect=2)
    assert "received the distortion 'blurr'" in script(*args, f"--dataset_path={photo_folder}", "--input_shape=64,64,3",
                                                      "--distortions=blurr", expect=2)
    assert "no such file" in script("predict.py", "--quality", tmp_path / "none.png", expect=2)
    assert not list((tmp_path / "logs").glob("*"))
