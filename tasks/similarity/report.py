"""The quality of a model on images of classes that it never saw, written beside the model."""

from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import log_loss, roc_auc_score

from nets.models.siamese import Comparer
from tasks.similarity import figures, why
from utils.data.classes import Samples
from utils.data.files import evenly
from utils.data.images import take
from utils.data.splits import comparable
from utils.metrics import baselines, tail, verification
from utils.metrics.retrieval import class_table, classifiers, retrieval
from utils.run import folder as runs
from utils.run.console import progress_bar

MAPPED = 20  # classes on the map of embeddings, and images of each
PAIRS, VALIDATION_PAIRS = 20_000, 2_000
WINDOWS = (0.3,)  # sides of the windows that explain a mistake, as shares of a picture's: 72 of a pair
BLOCK = 1024  # images turned to grey at once, or pairs of features subtracted
TRAINED = ("choice", "splits")  # of evaluation.json: what training alone can tell, which stays
COMPARED, COMPARED_SLOWLY = 600, 100  # test images of which all different pairs are compared
DIVERGED = "the embeddings of the model are NaN or infinite: training diverged. Try a learning rate ten times lower"


def write_verification(
    comparer: Comparer, images, samples: Samples, rows: np.ndarray, folder: str, seed: int = 0,
    train: np.ndarray | None = None,
    seen: bool = False, reasons: bool = False, doubt: str = "",
) -> dict[str, float]:
    """Measures verification and retrieval on the images at `rows`, and writes the report into `folder`.

    evaluation.json, thresholds.json, verification.png, mistakes.png, map.png; classes.csv for models
    that compare by distance.

    Args:
        comparer: of the model.
        images: of all samples.
        folder: where to write.
        seen: whether training saw other images of the same classes.
        doubt: why training may have seen these images, which is kept with the figures; "": it did not.
        reasons: whether mistakes.png shows what speaks for and against each mistake, which takes the time of a thousand
            images.
        train: rows of the images trained on, from which Fisherfaces learn; None: only pixels are the baseline.

    Returns:
        What `verification.verify` gives, for pairs from all classes and, as `hard_accuracy` and
        `hard_roc_auc`, for different pairs from within one group where there are groups; and what
        `retrieval.retrieval` and `retrieval.classifiers` give, for models that compare by distance. Then the
        95 % interval of the ROC-AUC, the calibration error, and what the baselines reach on the same pairs.
        Empty where the rows do not give same and different pairs.
    """
    labels = samples.labels[rows]
    if not comparable(labels):
        return {}
    features = comparer.embed(take(images, rows), progress=progress_bar("image"))
    print("comparing pairs, also by simple methods, and drawing figures ...")
    drawn = verification.draw_pairs(labels, PAIRS, seed)
    scores = verification.score_pairs(comparer.score, features, drawn)
    if not np.isfinite(scores).all():
        raise ValueError(DIVERGED)
    result = verification.verify(scores, drawn.same) | doubts(scores, drawn, labels)
    result |= baseline_figures(images, samples.labels, rows, train, drawn, folder)
    result |= within_groups(comparer, features, labels, samples.groups[labels], seed)
    if comparer.by_distance:
        result |= retrieval(features, labels) | classifiers(features, labels, seed)
        runs.write_table(folder, runs.CLASSES, class_table(features, labels, samples.classes))
    result |= {"classes": len(np.unique(labels)), "images": len(rows), "pairs": PAIRS, "seed": seed,
               "seen_classes": seen} | ({runs.DOUBT: doubt} if doubt else {})
    cuts = verification.thresholds(scores, drawn.same)
    kept = runs.read_json(folder, runs.THRESHOLDS) or {}  # a model for copies has one more, which stays
    before = runs.read_json(folder, runs.EVALUATION) or {}
    runs.write_json(folder, runs.EVALUATION, result | {name: before[name] for name in TRAINED if name in before})
    runs.write_json(folder, runs.THRESHOLDS,
                    kept | cuts | {runs.DIFFERENT: different_pairs(comparer, features, labels)})
    figures.verification(folder, scores, drawn.same, result, cuts)
    images = take(images, rows)
    explain = partial(why.explain, comparer, images.shape[1:], sides=WINDOWS) if reasons else None
    figures.mistakes(folder, images, drawn, scores, [samples.classes[label] for label in labels], cuts["best_accuracy"],
                     explain)
    draw_map(folder, images, features, labels, samples.classes, seed)
    return result


def different_pairs(comparer: Comparer, features: np.ndarray, labels: np.ndarray) -> dict | None:
    """How alike images of different classes are, for `utils.metrics.tail`: all pairs of some images, each pair once;
    None: too few."""
    some = np.array(evenly(np.arange(len(labels)), COMPARED if comparer.by_distance else COMPARED_SLOWLY))
    left, right = np.triu_indices(len(some), 1)
    pairs = verification.Pairs(some[left], some[right], labels[some[left]] == labels[some[right]])
    pairs = verification.Pairs(*(column[~pairs.same] for column in pairs))
    scores = verification.score_pairs(comparer.score, features, pairs)
    if not comparer.by_distance:
        return tail.curve(scores, tail.logits(scores))
    blocks = [slice(start, start + BLOCK) for start in range(0, len(pairs.left), BLOCK)]
    distances = np.concatenate([np.linalg.norm(features[pairs.left[b]] - features[pairs.right[b]], axis=1)
                                for b in blocks])
    return tail.curve(scores, -np.log(np.maximum(distances, 1e-6)))


def draw_map(folder: str, images, features, labels, classes: list[str], seed: int) -> None:
    """A map of the embeddings of some images."""
    mapped = some_of_each(labels, seed)
    figures.embedding_map(folder, planar(features[mapped], seed), images[mapped], labels[mapped], classes)


def doubts(scores: np.ndarray, pairs: verification.Pairs, labels: np.ndarray) -> dict[str, float]:
    """How sure the ROC-AUC is, as a 95 % interval over classes, and how far the similarities are from being
    probabilities."""
    low, high = verification.auc_interval(scores, pairs.same, labels[pairs.left], labels[pairs.right])
    return {"roc_auc_low": low, "roc_auc_high": high,
            "calibration_error": verification.calibration_error(scores, pairs.same)}


def baseline_figures(images, labels: np.ndarray, rows: np.ndarray, train: np.ndarray | None, pairs,
                     folder: str) -> dict[str, float]:
    """ROC-AUC of pixels and of Fisherfaces on the same pairs of the images at `rows`.

    Fisherfaces need training images; without them their figure is that of an earlier report on the same pairs, if there
    is one.
    """
    tested = grey_pixels(images, rows)
    embeddings = {"pixels": tested}
    if train is not None:
        learnt = np.array(evenly(train, baselines.MOST))
        embeddings["fisherfaces"] = baselines.fisherfaces(grey_pixels(images, learnt), labels[learnt], tested)
    result = {
        f"{name}_roc_auc":
        float(roc_auc_score(pairs.same, np.sum(features[pairs.left] * features[pairs.right], axis=1)))
        for name, features in embeddings.items() if features is not None
    }
    before = runs.read_json(folder, runs.EVALUATION) or {}
    if train is None and before.get("pixels_roc_auc") == result["pixels_roc_auc"] and "fisherfaces_roc_auc" in before:
        result["fisherfaces_roc_auc"] = before["fisherfaces_roc_auc"]
    return result


def grey_pixels(images, rows: np.ndarray) -> np.ndarray:
    """`baselines.grey_pixels` of the images at `rows`, block by block, so that images on disk stay there."""
    return np.concatenate([baselines.grey_pixels(images[rows[start : start + BLOCK]])
                           for start in range(0, len(rows), BLOCK)])


def within_groups(comparer: Comparer, features: np.ndarray, labels: np.ndarray, groups: np.ndarray,
                  seed: int) -> dict[str, float]:
    """Accuracy and ROC-AUC where different pairs are of one group (N,) each; nothing where there are no groups."""
    several = np.unique(np.stack([groups, labels]), axis=1)[0]  # the group of each class
    if not 1 < len(np.unique(several)) < len(several):
        return {}
    hard = verification.draw_pairs(labels, PAIRS, seed, groups)
    measured = verification.verify(verification.score_pairs(comparer.score, features, hard), hard.same)
    return {"hard_accuracy": measured["accuracy"], "hard_roc_auc": measured["roc_auc"]}


def some_of_each(labels: np.ndarray, seed: int) -> np.ndarray:
    """Rows of `MAPPED` images at most of each of `MAPPED` classes at most, drawn from the seed."""
    rng = np.random.default_rng(seed)
    classes = rng.permutation(np.unique(labels))[:MAPPED]
    return np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:MAPPED] for c in np.sort(classes)])


def planar(features: np.ndarray, seed: int) -> np.ndarray:
    """Features (N, F) laid out in the plane, near ones near: (N, 2), by PCA and, of ten or more, t-SNE."""
    if np.ptp(features, axis=0).max() == 0:  # collapsed: t-SNE would crash
        return np.zeros((len(features), 2))
    features = PCA(min(50, *features.shape), random_state=seed).fit_transform(features)
    if len(features) < 10:
        return features[:, :2]
    perplexity = min(30.0, (len(features) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(features)


def validation_pairs(images, labels: np.ndarray, rows: np.ndarray, seed: int):
    """The images among `rows` that the validation pairs show, each once, and the pairs as indices among them."""
    pairs = verification.draw_pairs(labels[rows], VALIDATION_PAIRS, seed)
    used, indices = np.unique(np.concatenate([pairs.left, pairs.right]), return_inverse=True)
    return take(images, rows[used]), verification.Pairs(*np.split(indices, 2), pairs.same)


def pairs_of_features(comparer: Comparer, images, labels: np.ndarray, rows: np.ndarray, seed: int):
    """Features of the validation pairs among `rows`: left (M, F), right (M, F), same (M,)."""
    shown, pairs = validation_pairs(images, labels, rows, seed)
    features = comparer.embed(shown)
    if not np.isfinite(features).all():
        raise ValueError(DIVERGED)
    return features[pairs.left], features[pairs.right], pairs.same


def validator(comparer: Comparer, images, labels: np.ndarray, rows: np.ndarray,
              seed: int) -> Callable[[], dict[str, float]]:
    """A function that scores the same validation pairs whenever it is called.

    It returns `val_loss` (cross-entropy, both kinds of pairs alike), `val_accuracy`, `val_roc_auc`.
    """
    shown, pairs = validation_pairs(images, labels, rows, seed)

    def validate() -> dict[str, float]:
        scores = verification.score_pairs(comparer.score, comparer.embed(shown), pairs)
        if not np.isfinite(scores).all():
            return dict.fromkeys(("val_loss", "val_accuracy", "val_roc_auc"), float("nan"))
        measured = verification.verify(scores, pairs.same)
        return {
            "val_loss": float(log_loss(pairs.same, scores)),
            "val_accuracy": measured["accuracy"],
            "val_roc_auc": measured["roc_auc"],
        }

    return validate


def disagreement(comparer: Comparer, images, labels: np.ndarray, rows: np.ndarray, seed: int,
                 measured: dict[str, float]) -> list[str]:
    """A line where the classes to validate on, at `rows`, give another ROC-AUC than those that were `measured`: their
    intervals do not meet. None where both are of the classes that training saw."""
    if not measured or measured["seen_classes"] or measured["classes"] < verification.FEWEST \
            or not comparable(labels[rows]):
        return []
    pairs = verification.draw_pairs(labels[rows], VALIDATION_PAIRS, seed)
    scores = verification.score_pairs(comparer.score, comparer.embed(take(images, rows)), pairs)
    own, classes = verification.verify(scores, pairs.same)["roc_auc"], len(np.unique(labels[rows]))
    few = classes < verification.FEWEST
    low, high = (own, own) if few else verification.auc_interval(scores, pairs.same, labels[rows][pairs.left],
                                                                 labels[rows][pairs.right])
    if low <= measured["roc_auc_high"] and high >= measured["roc_auc_low"]:
        return []
    return [f"but the {classes} classes to validate on give a ROC-AUC of {own:.4f}"
            + ("" if few else f", {low:.3f} to {high:.3f}")
            + ": the classes differ in how hard they are, so expect of others something between"]


def in_words(result: dict[str, float]) -> list[str]:
    """The report in words."""
    if not result:
        return ["no images were held out that would give same and different pairs: quality is unknown. python "
                "evaluate.py --dataset_path=FOLDER measures it on other classes with two pictures or more each"]
    doubt = result.get(runs.DOUBT)
    of = "classes seen in training" if result["seen_classes"] else "classes" if doubt else "held-out classes"
    text = [
        f"verification on {result['classes']} {of}: accuracy {result['accuracy']:.4f}, ROC-AUC "
        f"{result['roc_auc']:.4f}, equal error {result['eer']:.4f}, FPR95 {result['fpr95']:.4f}"
    ]
    if doubt:
        text.append(f"but {doubt}")
    if "roc_auc_low" in result:
        text += against_chance(result)
    if "hard_accuracy" in result:
        text.append(
            f"different pairs from within one group: accuracy {result['hard_accuracy']:.4f}, ROC-AUC "
            f"{result['hard_roc_auc']:.4f}"
        )
    if "recall_at_1" in result:
        text.append(
            f"retrieval among {result['images']} images: recall@1 {result['recall_at_1']:.4f} (by chance "
            f"{result['chance_at_1']:.3f}), @5 "
            f"{result['recall_at_5']:.4f}, @10 {result['recall_at_10']:.4f}, R-precision "
            f"{result['r_precision']:.4f}, MAP@R {result['map_at_r']:.4f}"
        )
        text.append("classes named from half of their images: " + ", ".join(
            f"{words} {result[name]:.4f}"
            for name, words in (("knn_accuracy", "5 nearest"), ("linear_accuracy", "linear classifier"),
                                ("largest_accuracy", "always the largest class"))
            if name in result
        ))
    return text


def against_chance(result: dict[str, float]) -> list[str]:
    """How sure the ROC-AUC is, what simple methods reach on the same pairs, and whether the network is worth having."""
    low, high, reached = result["roc_auc_low"], result["roc_auc_high"], result["roc_auc"]
    simple = {words: result[name] for name, words in (("pixels_roc_auc", "pixels"),
                                                      ("fisherfaces_roc_auc", "Fisherfaces")) if name in result}
    few = result["classes"] < verification.FEWEST
    sure = f"{result['classes']} classes are too few to say how sure the ROC-AUC is" if few else (
        f"95 % interval of the ROC-AUC over {result['classes']} classes: {low:.3f} to {high:.3f}")
    text = [sure + "".join(f"; {words} on the same pairs: {value:.3f}" for words, value in simple.items())]
    if verification.hardly_better(reached, low, result["classes"]):
        text.append("This is hardly better than chance: do not trust the similarities. More classes to learn from "
                    "help most")
    best = max(simple, key=simple.get, default=None)
    if best and simple[best] >= reached:
        text.append(f"{best} do as well without a network: more classes or more pictures of each are needed")
    return text
