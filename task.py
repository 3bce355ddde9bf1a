"""Trains one small network on several image tasks in turn, and shows what it learns and forgets."""

import argparse
import json
import math
import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from errors import RequestError, RunError
from flags import describe_tasks, parse_flags
from interrupts import Interrupted, Interrupts
from tasks import TASKS

if TYPE_CHECKING:  # what takes seconds to import is not imported before the flags are checked
    from data.dataset import Dataset
    from train import Trainer

PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "tensorboard")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code: see the README."""
    try:
        with Interrupts() as interrupts:
            settings = parse_flags(arguments)
            if settings.list_tasks:
                print(describe_tasks("\n"))
                return 0
            if settings.dry_run:
                print(json.dumps(plain_settings(settings), indent=2))
                return 0
            return run(settings, interrupts)
    except RequestError as error:
        complain(f"error: {error}")
        return 2
    except (RunError, OSError) as error:
        complain(f"failed: {error}")
        return 1
    except ModuleNotFoundError as error:
        complain(f"failed: {error.name} is not installed; run `pipenv sync`, then `pipenv shell`")
        return 1
    except Interrupted as interrupted:
        complain("stopped")
        return 128 + interrupted.signal_number


def complain(message: str) -> None:
    """Prints a message in one line, whatever is in it."""
    print("task.py:", " ".join(message.split()), file=sys.stderr)


def run(settings: argparse.Namespace, interrupts: Interrupts) -> int:
    """Loads the data, trains, and reports."""
    from device import choose_device
    from display import Display

    display = Display(settings.quiet, settings.tasks, settings.max_steps)
    with display.busy("Loading TensorFlow"):
        device = choose_device(settings.gpu)
        from data import load_datasets
        from metrics import summarize
        from runlog import RunLog, create_run_folder, write_json
        from train import Trainer

    datasets = load_datasets({TASKS[name].dataset: None for name in settings.tasks}, settings)
    trainer = Trainer(settings, datasets)
    folder = create_run_folder(settings)
    display.announce(what_will_run(settings, datasets, trainer, device, folder))
    with RunLog(folder, settings.tasks) as log:
        log.describe(describe_run(settings, datasets, trainer, device), trainer.graph())
        with display.training(), interrupts.deferred():
            trainer.run(log, display, interrupts.stopped)
        if interrupts.received is not None and trainer.step < settings.max_steps:
            display.say(f"stopped after {trainer.step:,} steps; what was learned is in {folder}")
            return 128 + interrupts.received
        summary = summarize(trainer.history, settings.tasks, settings.task_time)
        write_json(folder / "summary.json", {"step": trainer.step, **summary})
    display.results(summary, drawn=settings.fake_data)
    display.say(f"all of it is in {folder}")
    return 0


def never_trained(settings: argparse.Namespace) -> list[tuple[str, str]]:
    """A row that names the tasks whose turn does not come, if there are any."""
    turns = math.ceil(settings.max_steps / settings.task_time)
    names = settings.tasks[turns:]
    text = f"too few for a turn of {', '.join(names)}; lower --task-time or raise --max-steps"
    return [("", text)] if names else []


def plain_settings(settings: argparse.Namespace) -> dict:
    """The settings as JSON can hold them."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(settings).items()
        if name not in ("list_tasks", "dry_run")
    }


def describe_run(
    settings: argparse.Namespace, datasets: "dict[str, Dataset]", trainer: "Trainer", device: str
) -> dict:
    """What `config.json` says: all that a run follows from."""
    return {
        "settings": plain_settings(settings),
        "seed": settings.seed,
        "fake_data": settings.fake_data,
        "data": {
            name: {
                "origin": dataset.origin,
                "train": len(dataset.train.labels),
                "test": len(dataset.test.labels),
                "classes": dataset.class_names,
            }
            for name, dataset in datasets.items()
        },
        "parameters": trainer.network.count_params(),
        "device": device,
        "versions": {
            "python": platform.python_version(),
            **{package: version_of(package) for package in PACKAGES},
        },
        "command": shlex.join(sys.argv),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def version_of(package: str) -> str | None:
    """The version installed; None where it goes by another name, as TensorFlow's variants do."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def what_will_run(
    settings: argparse.Namespace,
    datasets: "dict[str, Dataset]",
    trainer: "Trainer",
    device: str,
    folder: Path,
) -> list[tuple[str, str]]:
    """What is told before training: a label and a text to a row."""
    rows = []
    for index, name in enumerate(settings.tasks):
        data = datasets[TASKS[name].dataset]
        sizes = f"{len(data.train.labels):,} to train, {len(data.test.labels):,} to test"
        rows.append(("" if index else "tasks", f"{name}: {TASKS[name].description}; {sizes}"))
    rows += [("data", dataset.origin) for dataset in datasets.values()]
    if settings.fake_data:
        rows.append(("", "DRAWN DATA: its accuracies say nothing of MNIST or of photographs"))
    layers = " ".join(settings.network)
    norm = {"batch": "batch", "lrn": "local response", "none": "no"}[settings.norm]
    rows += [
        (
            "network",
            f"{layers}: {trainer.network.count_params():,} parameters, {norm} normalisation",
        ),
        (
            "training",
            f"{settings.optimizer}, learning rate {settings.learning_rate:g}, batch "
            f"{settings.batch}, keep probability {settings.dropout:g}, seed {settings.seed}",
        ),
        ("schedule", f"{settings.max_steps:,} steps, {settings.task_time:,} on each task in turn"),
        *never_trained(settings),
        ("device", device),
        ("folder", str(folder)),
        ("to watch", f"tensorboard --logdir {shlex.quote(str(settings.log_dir))}"),
    ]
    return rows


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # an encoding without × is no reason to fail
    sys.exit(main())
