"""The flags that make an experiment: what is learned and when, what learns, and how."""

import argparse

from networks.channels import CHANNELS
from settings.checks import HIDDEN_UNITS, KEEP, MAX_STEPS, NETWORKS, TASK_TIME
from settings.values import (
    LARGEST_SEED,
    MOST_EXAMPLES,
    finite_number,
    keep_probability,
    not_negative,
    positive_number,
    proportion,
    whole_number,
)
from tasks import FAMILIES, TASKS

Group = argparse._ArgumentGroup
# In pixels. One of twice the height and width has more values, in four channels, than are counted
# in 32 bits, as some of TensorFlow's operations do.
SMALLEST_IMAGE, LARGEST_IMAGE = 8, 16_384


class Length(argparse.Action):
    """One of the two flags that say how long to train: it takes the place of the other."""

    def __call__(
        self, parser: argparse.ArgumentParser, settings: argparse.Namespace, value: int, flag: str
    ) -> None:
        """Sets this one, and unsets what an earlier flag, such as one of a preset, has set."""
        settings.max_steps = settings.epochs = None
        setattr(settings, self.dest, value)


def add_task_flags(group: Group) -> None:
    """What is learned."""
    group.add_argument(
        "--tasks",
        nargs="+",
        default=["dog", "id"],
        metavar="TASK",
        help="the tasks in the order of training, one or more of "
        f"{', '.join(TASKS)}, omniglot, {', '.join(name for name, _ in FAMILIES.values())} "
        "(cifar10:* and so on are all of them); a task may stand more than once (default: dog id)",
    )
    group.add_argument(
        "--list-tasks", action="store_true", help="print what each task is, and stop"
    )


def add_schedule_flags(group: Group) -> None:
    """When it is learned, and for how long."""
    group.add_argument(
        "--schedule",
        choices=["cycle", "random", "joint"],
        default="cycle",
        help="cycle: each task in turn for --task-time steps; random: every step draws its task; "
        "joint: every step trains all tasks on the sum of their losses (default: %(default)s)",
    )
    group.add_argument(
        "--task-time",
        type=whole_number,
        metavar="STEPS",
        help="with --schedule cycle, steps on a task before the next one's turn; 1 alternates "
        f"mini-batches (default: {TASK_TIME})",
    )
    group.add_argument(
        "--task-weights",
        nargs="+",
        type=proportion,
        metavar="W",
        help="a number for each task, 0 or more, of which only the proportions count: with "
        "--schedule random how often it is drawn, with joint its part in the sum of the losses, "
        "where they are scaled to a mean of 1 (default: all alike)",
    )
    group.add_argument(
        "--max-steps",
        action=Length,
        type=whole_number,
        metavar="STEPS",
        help=f"steps in all (default: {MAX_STEPS})",
    )
    group.add_argument(
        "--epochs",
        action=Length,
        type=whole_number,
        metavar="N",
        help="in place of --max-steps: as many steps as go N times through the largest task's "
        "training set",
    )


def add_input_flags(group: Group) -> None:
    """What the network sees."""
    group.add_argument(
        "--input-style",
        choices=list(CHANNELS),
        default="combined",
        help="how images become channels: combined puts grey and colour images into the same "
        "three; channelplex has one channel for grey and three for colour images, which tells the "
        "network which of them it sees (default: %(default)s)",
    )
    group.add_argument(
        "--image-size",
        type=lambda text: whole_number(text, least=SMALLEST_IMAGE, most=LARGEST_IMAGE),
        default=28,
        metavar="PIXELS",
        help="height and width that every image is brought to, "
        f"{SMALLEST_IMAGE} to {LARGEST_IMAGE:,} (default: %(default)s)",
    )
    group.add_argument(
        "--standardize",
        action="store_true",
        help="give each pixel as its z-score over the task's training images, in place of 0 to 1",
    )


def add_network_flags(group: Group) -> None:
    """What learns."""
    group.add_argument(
        "--network",
        nargs="+",
        choices=NETWORKS,
        default=["conv", "fc"],
        metavar="LAYER",
        help="layers: conv (5×5, ReLU, 3×3 max pooling, normalisation, dropout) and then fc "
        "(ReLU), of which the last is the output; or one of encoder (five 3×3 convolutions, then "
        "512 units a head), towers (a column of its own for each task), cross-stitch (such "
        "columns, mixed at three depths), mobilenetv2, resnet50 (default: conv fc)",
    )
    group.add_argument(
        "--heads",
        choices=["shared", "multi"],
        help="one output layer for all tasks, which must have as many classes each; or one for "
        "each task (default: shared; multi for encoder, towers and cross-stitch)",
    )
    group.add_argument(
        "--filters",
        nargs="+",
        type=whole_number,
        metavar="N",
        help="filters of each conv, the last number for all that follow (default: 64 for the "
        "first, 128 for the others)",
    )
    group.add_argument(
        "--hidden-units",
        type=whole_number,
        metavar="N",
        help=f"units of each fc before the output (default: {HIDDEN_UNITS})",
    )
    group.add_argument(
        "--norm",
        choices=["batch", "lrn", "none"],
        help="normalisation after each conv: batch normalisation, local response normalisation "
        "(which wants a --learning-rate of 0.01), or none (default: batch)",
    )
    group.add_argument(
        "--dropout",
        type=keep_probability,
        metavar="P",
        help="the probability, above 0 and up to 1, that a value is KEPT after each conv, and "
        "after the hidden layer of towers and cross-stitch; 1 is no dropout "
        f"(default: {KEEP}; the other networks have none)",
    )


def add_whole_network_flags(group: Group) -> None:
    """What some of the networks that are named whole take."""
    group.add_argument(
        "--stitch-init",
        nargs=2,
        type=finite_number,
        metavar=("A", "B"),
        help="how cross-stitch units begin: A on the diagonal, which is a task's own column, and B "
        "off it, the others' (default: 1 0)",
    )
    group.add_argument(
        "--weights",
        metavar="WHICH",
        help="what mobilenetv2 and resnet50 begin with: none (random), imagenet (downloaded), or a "
        "file of weights without the top (default: none)",
    )
    group.add_argument(
        "--freeze-backbone",
        action="store_true",
        help="leave mobilenetv2 or resnet50 as it begins and train the output alone",
    )


def add_training_flags(group: Group) -> None:
    """How it learns."""
    group.add_argument(
        "--optimizer",
        choices=["sgd", "adam"],
        default="sgd",
        help="plain gradient descent, or Adam (which wants a --learning-rate of 0.001) "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--learning-rate",
        type=positive_number,
        default=0.1,
        metavar="RATE",
        help="step size of the optimiser (default: %(default)s)",
    )
    group.add_argument(
        "--batch",
        type=lambda text: whole_number(text, most=MOST_EXAMPLES),
        default=100,
        metavar="N",
        help="examples in a training step, with --schedule joint of each task (default: "
        "%(default)s)",
    )
    group.add_argument(
        "--l2",
        type=not_negative,
        default=0.0,
        metavar="FACTOR",
        help="adds FACTOR times the sum of the squared weights of convolutions and dense layers to "
        "the loss that is trained on, not to the one that is logged (default: %(default)s)",
    )
    group.add_argument(
        "--seed",
        type=lambda text: whole_number(text, least=0, most=LARGEST_SEED),
        default=0,
        metavar="N",
        help="of all that is random: equal seeds give equal runs (default: %(default)s)",
    )
