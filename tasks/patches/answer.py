"""Do photos show the same place, and where lies one in the other: key points, matches, the map between them, and a
picture that shows it."""

import os

import numpy as np

from tasks.patches import describers
from tasks.patches.scene import Scene, View, compare, view
from utils.data.files import walk
from utils.run.console import write_answer
from utils.saying import counted, left_out, shown

MAPS = {"homography": "one plane", "affine": "one affine map", "similarity": "one turn, scale and shift"}
COLUMNS = ["photo", "x_a", "y_a", "x_b", "y_b", "distance", "ratio", "agrees"]


def answer(options, files: list[str]) -> None:
    """Compares the first photo with each of the others; folders stand for the photos in them."""
    first, *others = photo_files(files)
    if options.keypoints and len(options.keypoints) not in (1, len(others) + 1):
        raise ValueError(f"--keypoints: {len(options.keypoints)} files for {len(others) + 1} photos, expected one for "
                         "all, or one for each")
    describer = describers.asked_for(options)
    keypoints = [os.path.expanduser(path) for path in options.keypoints] or [""]
    keypoints = keypoints * (len(others) + 1) if len(keypoints) == 1 else keypoints
    a = view(first, describer, options.most_keypoints, keypoints[0])
    if not options.homography:
        runtime = f" by {describer.runtime}" if describer.runtime else ""
        print(f"described by {shown(describer.name)}{runtime}; {shown(first)}: {points_of(a)}")
    rows, results, problems = [], {}, []
    for number, (file, points) in enumerate(zip(others, keypoints[1:]), start=1):
        try:
            b = view(file, describer, options.most_keypoints, points)
        except ValueError as error:
            if len(others) == 1:
                raise
            problems.append(str(error))
            continue
        scene = compare(a, b, options.ratio, options.tolerance, options.geometry)
        tell(options, b, scene, only_pair=len(others) == 1)
        if options.figure and not options.homography:
            from tasks.patches import figures  # and with it matplotlib, once the answer stands there

            name = "matches.png" if len(others) == 1 else f"matches_{number}.png"
            figures.matches(a, b, scene, in_words(scene, options.geometry), name, window=not options.json)
        rows += table(file, scene)
        results[file] = as_answer(a, b, scene)
    if not results:
        raise ValueError(f"none of {counted(len(others), 'photo')} could be read: {problems[0]}")
    left_out(counted(len(problems), "photo"), problems)
    write_answer(options, rows, results[others[0]] if len(others) == 1 else
                 {"photo": first, "results": [{"photo": file, **result} for file, result in results.items()],
                  "problems": problems}, COLUMNS)


def photo_files(files: list[str]) -> list[str]:
    """The photos of files and folders, each once, in order.

    Raises:
        ValueError: fewer than two, or a folder before others.
    """
    files = [os.path.expanduser(file) for file in files]
    if len(files) > 1 and os.path.isdir(files[0]):
        raise ValueError(f"{files[0]}: a folder, expected the photo that all others are compared with: python "
                         "predict.py --task=patches PHOTO.jpg FOLDER")
    photos = [path for file in files
              for path in ([os.path.join(file, name) for name in walk(file)[0]] if os.path.isdir(file) else [file])]
    first = photos[:1]
    photos = first + [path for path in dict.fromkeys(photos[1:]) if path not in first or path in files[1:]]
    if len(photos) < 2:
        raise ValueError(f"received {counted(len(photos), 'photo')}, expected two or more: python predict.py "
                         "--task=patches a.jpg b.jpg, or a.jpg FOLDER")
    return photos


def tell(options, b: View, scene: Scene, only_pair: bool) -> None:
    """Prints the decision, or with --homography the matrix alone."""
    if options.homography:
        if not only_pair:
            print(f"# {shown(b.file)}")
        print("none" if scene.matrix is None
              else "\n".join(" ".join(f"{value:.10g}" for value in row) for row in scene.matrix))
        return
    print(f"{shown(b.file)}: {points_of(b)}, {counted(len(scene.a), 'match', 'matches')}, "
          f"{int(scene.inliers.sum())} agree")
    print(("" if only_pair else "  ") + in_words(scene, options.geometry))


def points_of(view: View) -> str:
    """How many key points of a photo are used, and how many are not."""
    text = counted(len(view.keypoints.xy), "key point")
    return f"{text} ({view.left_out} weaker ones are left out: --most_keypoints)" if view.left_out else text


def in_words(scene: Scene, geometry: str) -> str:
    """The decision in a line."""
    if scene.same:
        return f"the same scene: {int(scene.inliers.sum())} of {len(scene.a)} matches agree on {MAPS[geometry]}"
    return f"{'not the same scene' if scene.laid_over else 'no agreement'}: {scene.reason}"


def as_answer(a: View, b: View, scene: Scene) -> dict:
    """What --json prints of two photos. The homography maps pixels of a to pixels of b."""
    return {"keypoints": [len(a.keypoints.xy), len(b.keypoints.xy)], "matches": len(scene.a),
            "inliers": int(scene.inliers.sum()),
            "homography": None if scene.matrix is None else scene.matrix.tolist(), "same": scene.same,
            "reason": scene.reason or None}


def table(file: str, scene: Scene) -> list[dict]:
    """The matches as rows of --csv, the most certain first."""
    values = np.column_stack([scene.a, scene.b, scene.distance, scene.ratio]).round(4).tolist()
    return [dict(zip(COLUMNS, [file, *row, int(agrees)])) for row, agrees in zip(values, scene.inliers)]
