"""The settings of where the data is, where a run computes, and what it writes and shows."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from settings.setting import setting
from settings.values import ON_OFF, STEPS, SWITCH, path, text, whole_number

# TensorFlow takes a minute to start with a few thousand.
MAX_THREADS = 1_024
# Classes of the task on dogs.
MAX_BREEDS = 10
# A setting that changes no accuracy: runs that differ in it can be averaged.
neutral = partial(setting, affects_results=False)


@dataclass(frozen=True)
class DataSettings:
    """The sources of the images. The images themselves stand in config.json as a checksum."""

    title: ClassVar[str] = "data"

    data_dir: Path | None = neutral(
        None,
        path("DIR"),
        "the folder that holds the datasets' folders (mnist, fashion-mnist, dogs, "
        "cifar-10-batches-bin, cifar-100-binary, omniglot), or MNIST's four IDX files themselves "
        "(default: the user's cache folder, to which missing data is downloaded)",
    )
    data_dog_dir: Path | None = neutral(
        None,
        path("DIR"),
        "the folder of dog photographs: Kaggle's labels.csv with train/, a folder per breed, or "
        "Imagewoof's train/ and val/ (default: dogs/ in --data-dir)",
    )
    dog_breeds: tuple[str, ...] | None = setting(
        None,
        text("BREED"),
        f"2 to {MAX_BREEDS} breeds to use (default: the first ten by name)",
        nargs="+",
    )
    fake_data: bool = setting(
        False, SWITCH, "draw digits and dogs in place of reading files; results on them say so"
    )
    pickle_file: Path | None = neutral(
        None,
        path("FILE"),
        "the cache of the decoded dogs, an .npz file and never a pickle (default: beside the "
        "photographs, or in the user's cache folder where they are read-only)",
    )
    use_pickle: bool = neutral(
        False,
        SWITCH,
        "take the dogs from that cache, where it is usable, without looking at the photographs",
    )


@dataclass(frozen=True)
class DeviceSettings:
    """The device that computes."""

    title: ClassVar[str] = "device"

    gpu: bool = neutral(
        False, ON_OFF, "train on the first GPU (default: on the CPU)", resumable=True
    )
    threads: int | None = neutral(
        None,
        whole_number("N", most=MAX_THREADS),
        "threads of one TensorFlow operation, and operations at a time (default: one for each "
        "processor that the run may use when it starts)",
        resumable=True,
        older=None,
    )
    xla: bool = neutral(
        False,
        SWITCH,
        "compile the training step with XLA, for GPUs; on a CPU a step takes four times as long",
        older=False,
    )


@dataclass(frozen=True)
class LogSettings:
    """The output of a run: what it writes and shows, and when."""

    title: ClassVar[str] = "the run and its log"

    log_dir: Path = neutral(
        Path("log"), path("DIR"), "the folder in which the run's own folder is created"
    )
    test_frequency: int = setting(
        100, STEPS, "steps between evaluations of every task on its whole test set"
    )
    test_at_switches: bool | None = neutral(
        True,
        ON_OFF,
        "evaluate at every switch of task too (default: for turns of 10 steps or more)",
        conditional=True,
        multitask=True,
        older=False,
    )
    train_summary_frequency: int = neutral(
        10,
        STEPS,
        "steps between points of the training curves, each the mean of the steps since the last",
    )
    checkpoint_frequency: int = neutral(
        1_000,
        STEPS,
        "steps between checkpoints; one is also saved at the end, and on Ctrl-C or SIGTERM; the "
        "last two are kept",
        older=1_000,
    )
    trace: bool = neutral(
        False,
        SWITCH,
        "profile the chunk of steps that begins at every --train-metadata-frequency steps",
    )
    train_metadata_frequency: int = neutral(1_000, STEPS, "steps between profiles, with --trace")
    quiet: bool = neutral(False, SWITCH, "print the final table alone", resumable=True)


@dataclass(frozen=True)
class Command:
    """The request for something else than a new run. Not of a run, and so in no config.json."""

    title: ClassVar[str] = "in place of a new run"

    resume: Path | None = setting(
        None,
        path("RUN_DIR"),
        "resume the run in this folder, which was stopped or killed or is to train longer, with "
        "its own settings, of which --max-steps (more of them), --gpu, --threads and --quiet may "
        "change",
    )
    list_tasks: bool = setting(False, SWITCH, "print the names of all tasks with a description")
    dry_run: bool = setting(
        False,
        SWITCH,
        "print the resolved settings as JSON (Omniglot, if it is named, is looked for and, where "
        "it is missing, downloaded)",
    )
