"""The runs of docs.attention as a table in Markdown."""

import numpy as np


def table(runs: list[dict]) -> str:
    """The runs as a table in Markdown: mean over the seeds, and each value where there are several."""
    if runs and "batch" in runs[0]:
        costs = {(run["head"], run["batch"]): f"{run['seconds']:.2f} s, {run['peak_mb']:.0f} MB" for run in runs}
        sizes = sorted({batch for _, batch in costs})
        rows = [[head, *(costs.get((head, size), "") for size in sizes)]
                for head in dict.fromkeys(run["head"] for run in runs)]
        return in_columns(["head", *(f"B = {size}" for size in sizes)], rows)
    names = {"one_shot": "one-shot", "accuracy": "verification", "roc_auc": "ROC-AUC"}
    rows = []
    for head in dict.fromkeys(run["head"] for run in runs):
        own = [run for run in runs if run["head"] == head]
        rows.append([head, *(several([run[name] for run in own]) for name in names),
                     f"{own[0].get('head_parameters', 0):,}",
                     f"{max(run.get('images_per_s', 0) for run in own):.0f}",
                     f"{max(run['pairs_per_s'] for run in own):.0f}", str(len(own))])
    return in_columns(["head", *names.values(), "parameters of the head", "images/s in training", "pairs/s scored",
                       "seeds"], rows)


def several(values: list[float]) -> str:
    """A mean, and the values where there are several."""
    return f"{np.mean(values):.3f}" + (f" ({' '.join(f'{value:.3f}' for value in values)})" if len(values) > 1 else "")


def in_columns(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])
