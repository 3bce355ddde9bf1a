"""The settings of where the data is, where a run computes, and what it writes and shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from settings.setting import setting
from settings.values import ON_OFF, PATH, SWITCH, TEXT, whole_number

# TensorFlow takes a minute to start with a few thousand.
MAX_THREADS = 1_024
# Classes of the task on dogs.
MAX_BREEDS = 10


@dataclass(frozen=True)
class DataSettings:
    """Where the images come from. Which images they are stands in config.json as a checksum."""

    title: ClassVar[str] = "data"

    data_dir: Path | None = setting(
        None,
        PATH,
        "the folder that holds the datasets' folders (mnist, fashion-mnist, dogs, "
        "cifar-10-batches-bin, cifar-100-binary, omniglot), or MNIST's four IDX files themselves "
        "(default: the user's cache folder, to which missing data is downloaded)",
        metavar="DIR",
        affects_results=False,
    )
    data_dog_dir: Path | None = setting(
        None,
        PATH,
        "the folder of dog photographs: Kaggle's labels.csv with train/, a folder per breed, or "
        "Imagewoof's train/ and val/ (default: dogs/ in --data-dir)",
        metavar="DIR",
        affects_results=False,
    )
    dog_breeds: tuple[str, ...] | None = setting(
        None,
        TEXT,
        f"2 to {MAX_BREEDS} breeds to use (default: the first ten by name)",
        nargs="+",
        metavar="BREED",
    )
    fake_data: bool = setting(
        False, SWITCH, "draw digits and dogs in place of reading files; results on them say so"
    )
    pickle_file: Path | None = setting(
        None,
        PATH,
        "the cache of the decoded dogs, an .npz file and never a pickle (default: beside the "
        "photographs, or in the user's cache folder where they are read-only)",
        metavar="FILE",
        affects_results=False,
    )
    use_pickle: bool = setting(
        False,
        SWITCH,
        "take the dogs from that cache, where it is usable, without looking at the photographs",
        affects_results=False,
    )


@dataclass(frozen=True)
class DeviceSettings:
    """The device that computes."""

    title: ClassVar[str] = "device"

    gpu: bool = setting(
        False,
        ON_OFF,
        "train on the first GPU (default: on the CPU)",
        resumable=True,
        affects_results=False,
    )
    threads: int | None = setting(
        None,
        whole_number(most=MAX_THREADS),
        "threads of one TensorFlow operation, and operations at a time (default: one for each "
        "processor)",
        metavar="N",
        resumable=True,
        affects_results=False,
        older=None,
    )
    xla: bool = setting(
        False,
        SWITCH,
        "compile the training step with XLA, for GPUs; on a CPU a step takes four times as long",
        affects_results=False,
        older=False,
    )


@dataclass(frozen=True)
class LogSettings:
    """What a run writes and shows, and when."""

    title: ClassVar[str] = "the run and its log"

    log_dir: Path = setting(
        Path("log"),
        PATH,
        "the folder in which the run's own folder is created",
        metavar="DIR",
        affects_results=False,
    )
    test_frequency: int = setting(
        100,
        whole_number(),
        "steps between evaluations of every task on its whole test set",
        metavar="STEPS",
    )
    test_at_switches: bool | None = setting(
        True,
        ON_OFF,
        "evaluate at every switch of task too (default: for turns of 10 steps or more)",
        conditional=True,
        multitask=True,
        affects_results=False,
        older=False,
    )
    train_summary_frequency: int = setting(
        10,
        whole_number(),
        "steps between points of the training curves, each the mean of the steps since the last",
        metavar="STEPS",
        affects_results=False,
    )
    checkpoint_frequency: int = setting(
        1_000,
        whole_number(),
        "steps between checkpoints; one is also saved at the end, and on Ctrl-C or SIGTERM; the "
        "last two are kept",
        metavar="STEPS",
        affects_results=False,
        older=1_000,
    )
    trace: bool = setting(
        False,
        SWITCH,
        "profile the chunk of steps that begins at every --train-metadata-frequency steps",
        affects_results=False,
    )
    train_metadata_frequency: int = setting(
        1_000,
        whole_number(),
        "steps between profiles, with --trace",
        metavar="STEPS",
        affects_results=False,
    )
    quiet: bool = setting(
        False, SWITCH, "print the final table alone", resumable=True, affects_results=False
    )


@dataclass(frozen=True)
class Command:
    """What the command is to do in place of a new run. Not of a run, and so in no config.json."""

    title: ClassVar[str] = "in place of a new run"

    resume: Path | None = setting(
        None,
        PATH,
        "resume the run in this folder, which was stopped or killed or is to train longer, with "
        "its own settings, of which --max-steps (more of them), --gpu, --threads and --quiet may "
        "change",
        metavar="RUN_DIR",
    )
    list_tasks: bool = setting(False, SWITCH, "print the names of all tasks with a description")
    dry_run: bool = setting(
        False,
        SWITCH,
        "print the resolved settings as JSON (Omniglot, if it is named, is looked for and, where "
        "it is missing, downloaded)",
    )
