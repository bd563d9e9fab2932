"""The flags of the perceptual distance: how near is a copy, to the eye, and pictures that are made by it."""

from absl import flags

from nets.generators import GENERATORS, KINDS, TERMS
from utils.flags import defaults, group, passed

COMPARATOR = ("The network between whose features pictures are compared: a ready model, a run folder, a .keras file, "
              "alexnet or vgg16")
LAYER = "Layers of the comparator, joined by commas. Default: {} of photos, the last maps of others"
DEFAULT, DEFAULT_LAYER = "photos", ("stage3_conv2_relu",)
WEIGHTS = {"feature": 200.0, "adversarial": 10.0, "pixel": 2e-6, "absolute": 1e-3, "kl": 0.1}
USUAL = ("feature", "adversarial", "pixel")
IGNORED = ("optimizer", "input_shape", "weights")  # flags of all tasks that this one has no use for


def for_training() -> None:
    """Flags that train.py hands to the task perceptual."""
    defaults("Pictures that look natural: defaults", "perceptual",
             dataset_path="a folder of photos", test_share="0.1",
             backbone="deepsim_compact, at 64 x 64; deepsim, the article's networks, needs a GPU",
             input_shape="as the backbone takes it: leave it out", weights="random ones: leave it out",
             optimizer="adam: leave it out",
             learning_rate="0.0006 for deepsim_compact, 0.0002 for deepsim, and --schedule=constant where none is "
                           "passed",
             weight_decay="of the discriminator's kernels alone, 0.0004 where none is passed",
             batch_size="16 for deepsim_compact, 64 for deepsim, where none is passed", steps_per_epoch="250")
    with group("Pictures that look natural", "perceptual"):
        flags.DEFINE_enum("generator", "autoencoder", list(KINDS),
                          "What is learnt. " + "; ".join(f"{name}: {text}" for name, text in KINDS.items()))
        define_comparator()
        flags.DEFINE_string("inverted", "", "With --generator=inversion: the network whose features become pictures, "
                                            "as --comparator. Default: the comparator")
        flags.DEFINE_string("inverted_layer", "", "The layer of --inverted. Default: its last maps")
        flags.DEFINE_list("terms", list(USUAL), "What is minimised. "
                          + "; ".join(f"{name}: {text}" for name, text in TERMS.items()))
        for name, value in WEIGHTS.items():
            flags.DEFINE_float(f"{name}_weight", value, weight_text(name), 0)


def weight_text(name: str) -> str:
    """What the weight of a term is, for --help."""
    return (f"Weight of the term {name}" if name in TERMS else
            "With --generator=vae: weight of the term that makes codes normally distributed")


def define_comparator() -> None:
    """The flags of the comparator."""
    flags.DEFINE_string("comparator", DEFAULT, COMPARATOR)
    flags.DEFINE_list("layer", [], LAYER.format(" and ".join(DEFAULT_LAYER)))
    flags.DEFINE_string("comparator_weights", "", "Weights of --comparator=alexnet or vgg16: a file of weights that "
                                                  "Keras wrote, for vgg16 also imagenet. Default: random ones")


def check(options) -> None:
    """Raises ValueError where flags of training do not fit each other."""
    for name in IGNORED:
        if not options.resume and passed(name) and getattr(options, name) not in ([], "", "auto", "adam"):
            raise ValueError(f"--{name} has no effect with --task=perceptual: leave it out")
    if options.backbone not in ("auto", *GENERATORS):
        raise ValueError(f"--backbone={options.backbone} is not for --task=perceptual: expected "
                         f"{' or '.join(GENERATORS)}")
    unknown = [name for name in options.terms if name not in TERMS]
    if unknown or set(options.terms) <= {"adversarial"}:
        raise ValueError(f"--terms={','.join(options.terms)}: expected one or more of {', '.join(TERMS)}, and not "
                         "adversarial alone, which knows no original")
    if options.generator != "inversion" and (options.inverted or options.inverted_layer):
        raise ValueError("--inverted and --inverted_layer have no effect without --generator=inversion: leave them out")


def needs_model(options) -> bool:
    """Whether what evaluate.py measures comes from a model."""
    return not (options.distortions_too or options.pair_scores)


def for_answers() -> None:
    """Flags that predict.py hands to the perceptual distance."""
    with group("How near is a copy, to the eye", "perceptual"):
        define_comparator()
        flags.DEFINE_boolean("resize", False, "Resize each picture to the size of the original")
    with group("Pictures that a generator makes", "perceptual"):
        flags.DEFINE_boolean("reconstruct", False, "Show what the generator of --model makes of each picture")
        flags.DEFINE_integer("sample", 0, "Show so many pictures that a VAE makes of nothing", 0)
        flags.DEFINE_string("see", "", "What does this network keep of a picture? Shown by the generators that were "
                                       "trained to invert it, one row a layer")


def for_evaluation() -> None:
    """Flags that evaluate.py hands to the perceptual distance."""
    with group("Perceptual distance, and pictures made by it", "perceptual"):
        define_comparator()
        flags.DEFINE_boolean("distortions_too", False, "Measure no generator, but whether the distance grows with the "
                                                       "levels of 24 distortions, beside PSNR and SSIM")
        flags.DEFINE_list("runs", [], "Further runs to measure beside --model, such as those of other terms")
        flags.DEFINE_boolean("codes", False, "Measure what the codes of a generator tell of classes: --dataset_path is "
                                             "a folder with one folder for each class, on which a linear support "
                                             "vector machine is fitted and tested in ten folds")
        flags.DEFINE_integer("fitted", 100, "With --codes: pictures of each class to fit on; the others are tested", 1)
        flags.DEFINE_string("pair_scores", "", "Measure no generator, but how well the distance agrees with people: a "
                                               "list of pictures, their originals and human scores, as KADID-10k has "
                                               "it, or the folder of TID2013, LIVE or PIPAL")
        flags.DEFINE_string("reference_root", "", "With --pair_scores: folder of the originals. Default: that of the "
                                                  "pictures, and those beside it with the names that data sets use")
