"""The flags that say where the data is, where a run runs, and what it writes and shows."""

import argparse
from pathlib import Path

from settings.values import whole_number

Group = argparse._ArgumentGroup
# TensorFlow takes a minute to start with some thousand.
MOST_THREADS = 1024


def add_data_flags(group: Group) -> None:
    """Where the images come from."""
    group.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="the folder that has the data's folders in it (mnist, fashion-mnist, dogs, "
        "cifar-10-batches-bin, cifar-100-binary, omniglot), or MNIST's four IDX files themselves "
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
        help="take the dogs from that cache, if it is there, without looking at the photographs, "
        "unless it cannot be used",
    )


def add_device_flags(group: Group) -> None:
    """What it runs on, and how."""
    group.add_argument(
        "--gpu",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="train on the first GPU, or not, where a run is taken up (default: on the CPU)",
    )
    group.add_argument(
        "--threads",
        type=lambda text: whole_number(text, most=MOST_THREADS),
        metavar="N",
        help="threads that an operation of TensorFlow's is spread over, and operations at a time "
        "(default: as many as there are processors)",
    )
    group.add_argument(
        "--precision",
        choices=["float32", "bfloat16"],
        default="float32",
        help="of convolutions and matrix products; weights, statistics and loss are float32 in "
        "either. bfloat16 is for GPUs and for processors that have instructions for it; on others "
        "it takes twice as long as float32 (default: %(default)s)",
    )
    group.add_argument(
        "--xla",
        action="store_true",
        help="compile the training step with XLA, for GPUs; on a CPU a step takes four times as "
        "long",
    )


def add_resume_flag(group: Group) -> None:
    """Which run is taken up again."""
    group.add_argument(
        "--resume",
        type=Path,
        metavar="RUN_DIR",
        help="go on in the folder of a run that was stopped or killed, or is to go further, with "
        "the flags that it was started with; of these --max-steps (more of them), --gpu, --threads "
        "and --quiet may be named anew",
    )


def add_run_flags(group: Group) -> None:
    """What is written and what is shown."""
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
        "--checkpoint-frequency",
        type=whole_number,
        default=1_000,
        metavar="STEPS",
        help="the run is saved every so many steps, at the end, and on Ctrl-C or SIGTERM, to be "
        "taken up with --resume; the last two states are kept (default: %(default)s)",
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
        "--dry-run",
        action="store_true",
        help="print the resolved settings as JSON, and stop (a task of omniglot is looked for in "
        "the data, which is downloaded where it is not there)",
    )
    group.add_argument("--quiet", action="store_true", help="print the final table alone")
