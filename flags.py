"""The command line's flags: their defaults, their checks, and what follows from them."""

import argparse
import difflib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from errors import RequestError
from tasks import CHANNELS, TASKS

# Filters of the first convolution, and of the second and any further one.
FILTERS = (64, 128)
HIDDEN_UNITS = 500


class Parser(argparse.ArgumentParser):
    """A parser that tells what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Ends the program, as argparse asks of this method."""
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def parse_flags(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The settings of a run, checked and resolved.

    Raises:
        RequestError: flags that cannot work, alone or together.
        SystemExit: flags that argparse refuses (code 2), or --help (code 0).
    """
    settings = make_parser().parse_args(arguments)
    if settings.list_tasks:
        return settings
    check_tasks(settings.tasks)
    check_network(settings)
    check_data(settings)
    convolutions = settings.network.count("conv")
    given = settings.filters or FILTERS
    settings.filters = [given[min(depth, len(given) - 1)] for depth in range(convolutions)]
    settings.hidden_units = settings.hidden_units or HIDDEN_UNITS
    return settings


def make_parser() -> Parser:
    """All flags, in the groups that --help shows."""
    parser = Parser(
        prog="task.py",
        description="Trains one small network on several image tasks in turn, and logs to "
        "TensorBoard what it learns, forgets and keeps.",
        allow_abbrev=False,
    )
    add_task_flags(parser.add_argument_group("tasks and their schedule"))
    add_network_flags(parser.add_argument_group("network"))
    add_training_flags(parser.add_argument_group("training"))
    add_data_flags(parser.add_argument_group("data"))
    add_run_flags(parser.add_argument_group("the run and its log"))
    return parser


Group = argparse._ArgumentGroup


def add_task_flags(group: Group) -> None:
    """What is learned, and when."""
    group.add_argument(
        "--tasks",
        nargs="+",
        default=["dog", "id"],
        metavar="TASK",
        help="the tasks in the order of training, one or more of "
        f"{', '.join(TASKS)}; a task may stand more than once (default: dog id)",
    )
    group.add_argument(
        "--list-tasks", action="store_true", help="print what each task is, and stop"
    )
    group.add_argument(
        "--task-time",
        type=whole_number,
        default=2_000,
        metavar="STEPS",
        help="steps on a task before the next one's turn (default: %(default)s)",
    )
    group.add_argument(
        "--max-steps",
        type=whole_number,
        default=25_000,
        metavar="STEPS",
        help="steps in all (default: %(default)s)",
    )
    group.add_argument(
        "--input-style",
        choices=list(CHANNELS),
        default="combined",
        help="how images become channels: combined puts grey and colour images into the same "
        "three; channelplex has one channel for grey and three for colour images, which tells the "
        "network which of them it sees (default: %(default)s)",
    )


def add_network_flags(group: Group) -> None:
    """What learns."""
    group.add_argument(
        "--network",
        nargs="+",
        choices=["conv", "fc"],
        default=["conv", "fc"],
        metavar="LAYER",
        help="the layers: conv (5×5, ReLU, 3×3 max pooling, normalisation, dropout) and then fc "
        "(ReLU), of which the last is the output (default: conv fc)",
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
        default="batch",
        help="normalisation after each conv: batch normalisation, local response normalisation "
        "(which wants a --learning-rate of 0.01), or none (default: %(default)s)",
    )
    group.add_argument(
        "--dropout",
        type=keep_probability,
        default=0.9,
        metavar="P",
        help="the probability, above 0 and up to 1, that a value is KEPT after each conv; 1 is no "
        "dropout (default: %(default)s)",
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
        type=whole_number,
        default=100,
        metavar="N",
        help="examples in a training step (default: %(default)s)",
    )
    group.add_argument(
        "--seed",
        type=lambda text: whole_number(text, least=0),
        default=0,
        metavar="N",
        help="of all that is random: equal seeds give equal runs (default: %(default)s)",
    )


def add_data_flags(group: Group) -> None:
    """Where the images come from."""
    group.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="the folder that has mnist/ (and dogs/) in it, or MNIST's four IDX files themselves "
        "(default: the user's cache folder, to which what is missing is downloaded)",
    )
    group.add_argument(
        "--data-dog-dir",
        type=Path,
        metavar="DIR",
        help="the folder of dog photographs: Kaggle's labels.csv with train/, a folder per breed, "
        "or Imagewoof's train/ and val/ (default: dogs/ in --data-dir)",
    )
    group.add_argument(
        "--dog-breeds",
        nargs="+",
        metavar="BREED",
        help="2 to 10 breeds to take (default: the first ten by name)",
    )
    group.add_argument(
        "--fake-data",
        action="store_true",
        help="draw digits and dogs instead of reading any files; results on drawn data say so",
    )
    group.add_argument(
        "--pickle-file",
        type=Path,
        metavar="FILE",
        help="where the decoded dogs are cached, as .npz and never as a pickle (default: beside "
        "the photographs, or in the user's cache folder where that is read-only)",
    )
    group.add_argument(
        "--use-pickle",
        action="store_true",
        help="take the dogs from that cache, if it is there, without looking at the photographs",
    )


def add_run_flags(group: Group) -> None:
    """Where it runs, what is written and what is shown."""
    group.add_argument(
        "--gpu", action="store_true", help="train on the first GPU (default: on the CPU)"
    )
    group.add_argument(
        "--log-dir",
        type=Path,
        default=Path("log"),
        metavar="DIR",
        help="the folder in which the run's own folder is made (default: %(default)s)",
    )
    group.add_argument(
        "--test-frequency",
        type=whole_number,
        default=100,
        metavar="STEPS",
        help="steps between tests of every task on its whole test set (default: %(default)s)",
    )
    group.add_argument(
        "--train-summary-frequency",
        type=whole_number,
        default=10,
        metavar="STEPS",
        help="steps between points of the training curves, each the mean of the steps since the "
        "last (default: %(default)s)",
    )
    group.add_argument(
        "--trace",
        action="store_true",
        help="profile the stretch of steps that begins at every --train-metadata-frequency steps",
    )
    group.add_argument(
        "--train-metadata-frequency",
        type=whole_number,
        default=1_000,
        metavar="STEPS",
        help="steps between profiles, with --trace (default: %(default)s)",
    )
    group.add_argument(
        "--dry-run", action="store_true", help="print the resolved settings as JSON, and stop"
    )
    group.add_argument("--quiet", action="store_true", help="print the final table alone")


def whole_number(text: str, least: int = 1) -> int:
    """A flag's whole number, `least` or more."""
    return checked(text, int, lambda n: n >= least, f"a whole number, {least} or more")


def positive_number(text: str) -> float:
    """A flag's number above 0."""
    return checked(text, float, lambda x: 0 < x < math.inf, "a number above 0")


def keep_probability(text: str) -> float:
    """A flag's number above 0 and up to 1."""
    # Where rounding makes the share that is dropped 1, nothing at all would be kept.
    return checked(text, float, lambda x: x <= 1 and 1 - x < 1, "a number above 0 and up to 1")


def checked(text: str, kind: type, fits: Callable[[float], bool], expected: str) -> float:
    """The number that the text stands for, if it fits; what was expected, if not."""
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not fits(number):
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
    return number


def describe_tasks(separator: str) -> str:
    """Each task's name and what it is."""
    width = max(map(len, TASKS)) if separator == "\n" else 0
    return separator.join(f"{task.name:{width}} ({task.description})" for task in TASKS.values())


def check_tasks(names: list[str]) -> None:
    """Refuses a task that there is not, and names those that there are."""
    for name in names:
        if name not in TASKS:
            meant = difflib.get_close_matches(name.lower(), TASKS, n=1)
            hint = f" (did you mean {meant[0]}?)" if meant else ""
            raise RequestError(f"--tasks: no task {name!r}{hint}; there are {describe_tasks(', ')}")


def check_network(settings: argparse.Namespace) -> None:
    """Refuses a stack of layers that cannot be built."""
    network = settings.network
    if network[-1] != "fc":
        raise RequestError(f"--network {' '.join(network)}: must end in fc, the output layer")
    convolutions = network.count("conv")
    if "conv" in network[convolutions:]:
        raise RequestError(
            f"--network {' '.join(network)}: a conv cannot follow an fc, which leaves no image; "
            "name the convs first"
        )
    if settings.filters and len(settings.filters) > convolutions:
        raise RequestError(
            f"--filters {' '.join(map(str, settings.filters))}: one number for each conv at most, "
            f"and --network {' '.join(network)} has {convolutions}"
        )
    if settings.hidden_units and network.count("fc") == 1:
        raise RequestError(
            f"--hidden-units: --network {' '.join(network)} has no fc before the output; add one, "
            f"as in --network {' '.join(network)} fc"
        )


def check_data(settings: argparse.Namespace) -> None:
    """Refuses folders that are not there, and a choice of breeds that is none."""
    for flag, folder in (
        ("--data-dir", settings.data_dir),
        ("--data-dog-dir", settings.data_dog_dir),
    ):
        if folder is not None and not folder.is_dir() and not settings.fake_data:
            raise RequestError(
                f"{flag}: there is no folder {folder}; name one that has the data, leave {flag} "
                "out to download it, or use --fake-data"
            )
    if settings.fake_data and settings.dog_breeds:
        raise RequestError("--dog-breeds: drawn dogs have breeds of their own; leave one flag out")
    breeds, most = settings.dog_breeds, TASKS["dog"].classes
    if breeds is not None and not 2 <= len(set(breeds)) == len(breeds) <= most:
        raise RequestError(
            f"--dog-breeds: expected 2 to {most} different breeds, got {' '.join(breeds)}"
        )
