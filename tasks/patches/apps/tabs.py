"""The tab of patches on the page."""

from typing import Any

from tasks.page import Asked, Models, as_drawing, as_image, sheet


def places(models: Models, asked: Asked) -> dict[str, Any]:
    """Whether two photos show the same place: the matches, their picture, and the second photo laid onto the first."""
    files = [asked.picture("first"), asked.picture("second")]
    with models.answering() as said:
        used = models.of_tab("places", asked.model)
        scene = used.model.match(*files)
        figure, first, laid = matches(files, scene)
    return {"used": used, "said": said, "same": scene.same, "matches": len(scene.a), "agree": int(scene.inliers.sum()),
            "needed": scene.needed, "laid_over": scene.laid_over, "places": scene.places, "alike": scene.alike,
            "matrix": None if scene.matrix is None else scene.matrix.tolist(), "figure": figure, "first": first,
            "laid": laid}


def matches(files: list[str], scene) -> tuple[str, str, str]:
    """Two photos side by side with lines between their matches; the first, and the second laid onto it, of one size, or
    "" where they do not show one place."""
    from tasks.patches import figures  # and with it matplotlib

    (left, pixel_a), (right, pixel_b) = map(figures.thumbnail, files)
    page, (axis,) = sheet((max(len(left), len(right)), left.shape[1] + right.shape[1]))
    ends = [(points + 0.5) / pixel - 0.5 for points, pixel in ((scene.a, pixel_a), (scene.b, pixel_b))]
    figures.beside(axis, left, right, *ends, scene.inliers)
    axis.set_title("")  # the page says it, in its language
    if scene.matrix is None:
        return as_drawing(page), "", ""
    scaled = figures.scaling(1 / pixel_b) @ scene.matrix @ figures.scaling(pixel_a)
    return as_drawing(page), as_image(left), as_image(figures.warped(left, right, scaled))
