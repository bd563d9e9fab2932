"""What does this photo look like at twice its size, or more: learnt from sharp photos that are made small."""

import os
from typing import NamedTuple

import numpy as np

from nets import towers
from nets.losses import make_picture_loss
from nets.models import superres
from tasks import about
from tasks.models import load_model, store_in_half
from tasks.perceptual.measuring import comparators
from tasks.superres.data.batches import CropBatches
from tasks.superres.data.pairs import Pair, paired
from tasks.superres.data.resizing import larger
from tasks.superres.measuring import report
from utils.data import photos
from utils.data.files import evenly
from utils.flags import passed
from utils.run import devices, folder as runs, weights
from utils.run.fitting import Validation
from utils.saying import counted

KIND = superres.KIND
NEXT = "python predict.py --task=superres PHOTO, or python evaluate.py --task=superres --dataset_path=PHOTOS"
FIGURES = {}
CURVES = [("PSNR on luma of held-out photos, dB", ["val_psnr", "val_bicubic"])]
VALIDATED, TESTED = 16, 16  # photos at most that are enlarged after each epoch, and when training ends
BATCH, STEPS = 8, 400  # crops in a batch and batches in an epoch, where none are asked for
TORCH = (".pth", ".pt")  # files of PyTorch: the authors' weights


class Data(NamedTuple):
    """Photos by part, the folder of their small ones, if there is one; and what is held out, for split.json."""

    root: str
    photos: photos.Photos
    small: str
    scale: int
    held_out: dict

    def pairs(self, part: str) -> list[Pair]:
        """The photos of a part."""
        return paired(self.root, getattr(self.photos, part), self.small, self.scale)


def settle(options) -> None:
    """Backbone, its settings, optimizer, sizes of batch and epoch, where they were left open."""
    options.backbone = "msffrn_compact" if options.backbone == "auto" else options.backbone
    options.weights = "" if options.weights == "auto" else options.weights
    options.loss = "l1" if options.loss == "auto" else options.loss
    options.test_share = 0.1 if options.test_share is None else options.test_share
    options.steps_per_epoch = options.steps_per_epoch or STEPS
    row = row_of(options)
    options.paths, options.blocks, options.width = row.paths, row.blocks, row.width
    options.learning_rate = options.learning_rate or row.rate
    if not options.resume:
        for name, value in (("optimizer", "adam"), ("weight_decay", 0.0), ("batch_size", BATCH)):
            if not passed(name):
                setattr(options, name, value)


def row_of(options) -> towers.LargerTower:
    """The row of the backbone with the settings of the flags."""
    return towers.larger_row(options.backbone, options.paths or 0, options.blocks or 0, options.width or 0)


def build_model(options, start=None):
    """The network that the flags describe, with its first weights."""
    if start:
        scale = superres.enlarger(start).scale
        if scale != options.scale:
            raise ValueError(f"--weights={options.weights}: makes photos {scale} times larger: pass --scale={scale}")
        return start
    model = superres.superres(row_of(options), options.scale)
    if options.weights.endswith(TORCH):
        superres.load_published(model, weights.read_torch(options.weights))
    elif options.weights:
        raise ValueError(f"--weights={options.weights}: for superres expected nothing, a run folder, a .keras file, or "
                         f"a file of PyTorch ({' or '.join(TORCH)})")
    return model


def crop(options) -> int:
    """Pixels a side of the small crops to learn from.

    Raises:
        ValueError: --input_shape asks for others than squares in colour.
    """
    shape = [int(number) for number in options.input_shape if number] or list(row_of(options).input_shape)
    if shape[0] != shape[1] or shape[2] != 3 or shape[0] < 8:
        raise ValueError(f"--input_shape={','.join(options.input_shape)}: expected square crops of small photos in "
                         "colour of 8 or more pixels a side, such as 40,40,3")
    return shape[0]


def find_data(options, model) -> Data:
    """Finds and splits the photos; says what was found."""
    least = options.scale * crop(options)
    found = photos.find_photos(options.dataset_path, least, options.val_share, options.test_share, options.seed,
                               options.skip_broken)
    print(found.how)
    held_out = {"root": os.path.abspath(found.root), "how": found.how, "train": found.train,
                "validation": found.validation, "test": found.test}
    data = Data(found.root, found, os.path.expanduser(options.lr_path), options.scale, held_out)
    for part in ("train", "validation", "test"):
        data.pairs(part)  # raises where a small photo is missing
    return data


def prepare(options, model, data: Data) -> None:
    """Nothing of the model depends on the data."""


def make_batches(options, data: Data, model) -> CropBatches:
    """Batches of crops; says what one holds."""
    size, replicas = options.batch_size, devices.replicas()
    if size % replicas:
        raise ValueError(f"a batch of {size} crops does not divide among {replicas} devices; pass another --batch_size")
    made = CropBatches(data.pairs("train"), options.scale, crop(options), size, options.steps_per_epoch, options.seed,
                       options.workers, options.sampling)
    print(f"a batch: {size} crops of {made.side} x {made.side} pixels, {options.scale} times larger in the original; "
          f"{counted(len(made), 'batch', 'batches')} an epoch")
    return made


def trainer(options, model, make_optimizer):
    """The compiled model that is trained."""
    made = superres.trainer(model)
    made.compile(make_optimizer(model), make_picture_loss(options.loss, comparators.made))
    return made


def preview(trainer, batch, data: Data):
    """Crops of a batch: as the network sees them, by bicubic interpolation, and the original."""
    (inputs, large), scale = batch, data.scale
    rows = min(4, len(large))
    shown = [picture for small, original in zip(inputs["image"][:rows], large)
             for picture in (small.repeat(scale, 0).repeat(scale, 1), larger(small, scale), original)]
    return np.stack(shown), np.arange(3 * rows) // 3, dict.fromkeys(range(rows), "small, bicubic, original")


def callbacks(options, batches) -> list:
    """This task needs none of its own."""
    return []


def validation(options, model, data: Data) -> Validation | None:
    """PSNR on luma of whole held-out photos, made small once; None where there are none."""
    pairs = evenly(data.pairs("validation"), VALIDATED)
    if not pairs:
        print("no photos to validate on: the best epoch is that of the lowest training loss")
        return None
    held = report.Held(pairs, data.scale)
    print(f"bicubic interpolation: {held.bicubic:.2f} dB on {counted(len(pairs), 'photo')} to validate")
    network = superres.enlarger(model)
    return Validation(lambda: {"val_psnr": held.psnr(network), "val_bicubic": held.bicubic}, "val_psnr", "max")


def finish(options, folder: str, data: Data) -> list[str]:
    """Measures the model of the best epoch on test photos, and writes what it knows."""
    path = runs.model_file(folder)
    if options.half:
        store_in_half(path)
    network = superres.enlarger(load_model(path, KIND))
    part = next(part for part in ("test", "validation", "train") if getattr(data.photos, part))
    pairs = evenly(data.pairs(part), TESTED)
    result = report.means(report.measured(network, pairs, data.scale))
    result |= {"photos": len(pairs), "part": part, "scale": data.scale}
    runs.write_json(folder, runs.EVALUATION, result)
    about.write_photos(folder, "superres", data.photos.full("train"), (crop(options), crop(options), 3),
                       scale=data.scale, measured_on={"photos": len(pairs)}, psnr=result["psnr"],
                       bicubic_psnr=result["bicubic_psnr"])
    return [f"{counted(len(pairs), 'photo')} of the {part} part, {data.scale} times larger, on luma:",
            f"  PSNR {result['psnr']:.2f} dB, bicubic {result['bicubic_psnr']:.2f}; SSIM {result['ssim']:.4f}, bicubic "
            f"{result['bicubic_ssim']:.4f}; model {os.path.getsize(path) / 1e6:.2f} MB"]
