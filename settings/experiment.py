"""The settings that make an experiment: what is learned and when, what learns, and how."""

from dataclasses import dataclass
from typing import ClassVar

from settings.setting import setting
from settings.values import (
    KEEP_PROBABILITY,
    MAX_EXAMPLES,
    MAX_FLOAT,
    MAX_SEED,
    MIN_FLOAT,
    STEPS,
    SWITCH,
    WEIGHT,
    choice,
    number,
    path,
    text,
    whole_number,
)

# Pixels. An image of twice the height and width has more values, in four channels, than fit into
# the 32 bits of some of TensorFlow's operations.
MIN_IMAGE_SIZE, MAX_IMAGE_SIZE = 8, 16_384
# The optimizers, each with its default learning rate.
LEARNING_RATES = {"sgd": 0.1, "adam": 0.001}


@dataclass(frozen=True)
class TaskSettings:
    """The tasks, their order, and the length of the training."""

    title: ClassVar[str] = "tasks and their schedule"

    tasks: tuple[str, ...] = setting(
        ("dog", "id"),
        text("TASK"),
        "the tasks in the order of training, by the names that --list-tasks prints (cifar10:* and "
        "so on are all of a kind); a task may be named more than once",
        nargs="+",
        self_explanatory=True,
    )
    schedule: str = setting(
        "cycle",
        choice("cycle", "random", "joint"),
        "cycle: each task in turn for --task-time steps; random: every step draws its task; joint: "
        "every step trains all tasks",
        multitask=True,
        self_explanatory=True,
        older="cycle",
    )
    task_time: int | None = setting(
        2_000,
        STEPS,
        "with --schedule cycle, steps of a turn, after which the next task has its turn; 1 "
        "alternates mini-batches",
        conditional=True,
        multitask=True,
    )
    task_weights: tuple[float, ...] | None = setting(
        None,
        WEIGHT,
        "a number for each task, 0 or more, of which only the proportions count: with --schedule "
        "random how often the task is drawn, with joint its weight in --joint-loss, where the "
        "weights are scaled to a mean of 1 (default: all equal)",
        nargs="+",
        multitask=True,
        older=None,
    )
    joint_loss: str | None = setting(
        "mean",
        choice("mean", "sum"),
        "with --schedule joint, the loss that a step trains on: the mean of the tasks' losses, or "
        "their sum, which needs a smaller --learning-rate the more tasks there are",
        conditional=True,
        multitask=True,
        older=lambda stored: "sum" if stored.get("schedule") == "joint" else None,
    )
    max_steps: int | None = setting(
        25_000, STEPS, "training steps in all", conditional=True, resumable=True
    )
    epochs: int | None = setting(
        None,
        whole_number("N"),
        "in place of --max-steps: as many steps as N passes through the largest task's training "
        "set take",
        resumable=True,
        affects_results=False,  # max_steps follows from it
        older=None,
    )


@dataclass(frozen=True)
class InputSettings:
    """The images as the network sees them."""

    title: ClassVar[str] = "input"

    input_style: str = setting(
        "combined",
        choice("combined", "channelplex"),
        "channels of the network's input: combined puts gray and color images into the same three; "
        "channelplex has one channel for gray and three for color images, which tells the network "
        "which kind it sees",
        self_explanatory=True,
    )
    image_size: int = setting(
        28,
        whole_number("PIXELS", MIN_IMAGE_SIZE, MAX_IMAGE_SIZE),
        f"height and width to which every image is resized, {MIN_IMAGE_SIZE} to {MAX_IMAGE_SIZE:,}",
        older=28,
    )
    standardize: bool = setting(
        False,
        SWITCH,
        "feed each pixel as its z-score over the task's training images, in place of 0 to 1",
        older=False,
    )


@dataclass(frozen=True)
class NetworkSettings:
    """The network: its layers, its heads, and how they compute."""

    title: ClassVar[str] = "network"

    network: tuple[str, ...] = setting(
        ("conv", "fc"),
        text("LAYER"),
        "layers: conv (5×5, ReLU, 3×3 max pooling, normalization, dropout) and then fc (ReLU), of "
        "which the last is the output; or one of encoder (five 3×3 convolutions, then 512 units a "
        "head), towers (a column of layers for each task), cross-stitch (such columns, mixed at "
        "three depths), mobilenetv2, resnet50",
        nargs="+",
        self_explanatory=True,
    )
    heads: str | None = setting(
        "shared",
        choice("shared", "multi"),
        "one output layer for all tasks, which must have equally many classes; or one for each "
        "task (default: shared; multi for encoder, towers and cross-stitch)",
        conditional=True,
        multitask=True,
        older="shared",
    )
    filters: tuple[int, ...] | None = setting(
        (64, 128),
        whole_number("N"),
        "filters of each conv, the last number for all that follow",
        nargs="+",
        conditional=True,
    )
    hidden_units: int | None = setting(
        500, whole_number("N"), "units of each fc before the output", conditional=True
    )
    norm: str | None = setting(
        "batch",
        choice("batch", "lrn", "none"),
        "normalization after each conv: batch normalization, local response normalization (which "
        "needs a --learning-rate of 0.01 or so), or none",
        conditional=True,
    )
    dropout: float | None = setting(
        0.9,
        KEEP_PROBABILITY,
        "the probability, above 0 and up to 1, that a value is KEPT after each conv, and after the "
        "hidden layer of towers and cross-stitch; 1 is no dropout, as in the other networks",
        conditional=True,
    )
    stitch_init: tuple[float, float] | None = setting(
        (1.0, 0.0),
        number(None, -MAX_FLOAT),
        "initial weights of cross-stitch units: A for a task's own column, B for the others",
        nargs=2,
        metavars=("A", "B"),
        conditional=True,
        older=None,
    )
    weights: str = setting(
        "none",
        path("WHICH", "none", "imagenet"),
        "initial weights of mobilenetv2 and resnet50: none (random), imagenet (downloaded), or a "
        "file of weights without the top",
        older="none",
    )
    freeze_backbone: bool = setting(
        False,
        SWITCH,
        "train the output of mobilenetv2 or resnet50 alone, and leave the rest as it begins",
        older=False,
    )
    precision: str = setting(
        "float32",
        choice("float32", "bfloat16"),
        "of convolutions and matrix products; weights, statistics and loss are float32 in either. "
        "bfloat16 is for GPUs and for processors with instructions for it; on others it takes "
        "twice as long as float32",
        self_explanatory=True,
        older="float32",
    )


@dataclass(frozen=True)
class TrainingSettings:
    """One training step."""

    title: ClassVar[str] = "training"

    optimizer: str = setting(
        "sgd",
        choice(*LEARNING_RATES),
        "plain gradient descent, or Adam",
        self_explanatory=True,
    )
    learning_rate: float | None = setting(
        None,
        number("RATE", MIN_FLOAT),
        "step size of the optimizer (default: "
        + ", ".join(f"{rate:g} for {name}" for name, rate in LEARNING_RATES.items())
        + ")",
    )
    batch: int = setting(
        100,
        whole_number("N", most=MAX_EXAMPLES),
        "examples in a training step, with --schedule joint of each task",
    )
    l2: float = setting(
        0.0,
        number("FACTOR", 0),
        "adds FACTOR times the sum of the squared weights of convolutions and dense layers to the "
        "loss that is trained on, not to the one that is logged",
        older=0.0,
    )
    seed: int = setting(
        0, whole_number("N", 0, MAX_SEED), "seed of everything random: equal seeds give equal runs"
    )
