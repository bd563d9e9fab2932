"""Simple methods that a network must beat: pixels, Fisherfaces, and the perceptual hash."""

import warnings

import numpy as np
from PIL import Image

SIDE = 48  # pixels a side of the grey pictures that pixels and Fisherfaces compare
COMPONENTS = 100  # of the PCA before the linear discriminants
MOST = 3000  # images that Fisherfaces are fitted to


def grey_pixels(images: np.ndarray) -> np.ndarray:
    """Images (N, H, W, C) uint8 as grey pixels of 48 x 48, each less its mean and scaled to unit length: (N, 2304).

    The scalar product of two rows is the correlation of the two pictures.
    """
    rows = [np.asarray(Image.fromarray(image.mean(axis=-1).astype("uint8")).resize((SIDE, SIDE)), "float32").ravel()
            for image in images]
    centred = np.stack(rows) - np.mean(rows, axis=1, keepdims=True)
    return unit(centred)


def unit(features: np.ndarray) -> np.ndarray:
    """Rows (N, F) scaled to unit length."""
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)


def fisherfaces(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray | None:
    """Fisherfaces (Belhumeur, Hespanha & Kriegman 1997): PCA to 100, then linear discriminants; of unit length.

    Args:
        train: (N, P) grey pixels of the training images, labels (N,) their classes.
        test: (M, P) grey pixels.

    Returns:
        (M, F), or None where the training images do not give discriminants: two classes, and an image more than
        classes.
    """

    found = fisher_map(train, labels)
    return None if found is None else unit((test - found[0]) @ found[1])


def fisher_map(train: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The linear map of Fisherfaces: the mean (P,) and the projection (P, F), or None, see `fisherfaces`."""
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rows = np.random.default_rng(0).permutation(len(train))[:MOST]
    classes = len(np.unique(labels[rows]))
    components = min(COMPONENTS, len(rows) - classes, train.shape[1])
    if classes < 2 or components < 1:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of features that are nearly collinear
        pca = PCA(components, random_state=0).fit(train[rows])
        learnt = LinearDiscriminantAnalysis().fit(pca.transform(train[rows]), labels[rows])
    return pca.mean_ + learnt.xbar_ @ pca.components_, pca.components_.T @ learnt.scalings_[:, : classes - 1]


def perceptual_hash(picture: Image.Image) -> np.ndarray:
    """The 64-bit DCT hash of a picture, as `imagehash.phash` defines it: (64,) bool.

    Signs, against their median, of the 8 x 8 lowest frequencies of the picture at 32 x 32 in grey.
    """
    from scipy import fft

    pixels = np.asarray(picture.convert("L").resize((32, 32), Image.Resampling.LANCZOS), "float32")
    low = fft.dctn(pixels)[:8, :8]
    return (low > np.median(low)).ravel()
