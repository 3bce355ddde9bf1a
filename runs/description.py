"""The contents of `config.json`: everything that a run follows from."""

import hashlib
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from errors import RequestError
from runs.config import config_errors, read_config
from settings import Settings
from tasks import Task
from tasks.schedule import make_schedule

if TYPE_CHECKING:
    from data.dataset import Dataset

PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "tensorboard")


def describe_run(
    settings: Settings,
    tasks: Sequence[Task],
    datasets: "Mapping[str, Dataset]",
    parameters: int,
    device: str,
) -> dict[str, Any]:
    """Returns what `config.json` says of a new run.

    Args:
        parameters: the number of the network's parameters.
        device: as `choose_device` returns it.
    """
    return {
        "settings": settings.to_json(),
        "seed": settings.training.seed,
        "fake_data": settings.data.fake_data,
        "tasks": describe_tasks(settings, tasks, datasets),
        "data": {
            name: {
                "origin": dataset.origin,
                "train": len(dataset.train.labels),
                "test": len(dataset.test.labels),
                "classes": dataset.class_names,
                "sha256": checksum(dataset),
            }
            for name, dataset in datasets.items()
        },
        "parameters": parameters,
        "device": device,
        "versions": {
            "python": platform.python_version(),
            **{package: version_of(package) for package in PACKAGES},
        },
        "command": shlex.join(sys.argv),
        "directory": str(Path.cwd()),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def describe_tasks(
    settings: Settings, tasks: Sequence[Task], datasets: "Mapping[str, Dataset]"
) -> list[dict[str, Any]]:
    """Returns what `config.json` says of each task: its examples, and the steps that train it."""
    schedule = make_schedule(settings.tasks, settings.training.seed)
    return [
        {
            "name": task.name,
            "description": task.description,
            "classes": task.classes,
            "train": len(task.choose(datasets[task.dataset].train.labels)[1]),
            "test": len(task.choose(datasets[task.dataset].test.labels)[1]),
            "steps": schedule.steps_trained(index, settings.tasks.max_steps),
        }
        for index, task in enumerate(tasks)
    ]


def checksum(dataset: "Dataset") -> str:
    """Returns a SHA-256 over every image and label of a dataset."""
    digest = hashlib.sha256()
    for split in (dataset.train, dataset.test):
        for array in (split.images, split.labels):
            digest.update(f"{array.shape}".encode())
            digest.update(array.tobytes() if not array.flags.c_contiguous else array.data)
    return digest.hexdigest()


def version_of(package: str) -> str | None:
    """Returns the version installed; None where another name provides it, as for TensorFlow."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def describe_resumed(folder: Path, now: dict[str, Any], step: int) -> dict[str, Any]:
    """Returns what `config.json` says of a run that is resumed after `step` steps.

    Args:
        folder: the run's.
        now: what `describe_run` returns for it now.

    Raises:
        RequestError: the run was started on other data.
    """
    config = read_config(folder)
    then = config.stored
    with config_errors(folder):
        checksums = {name: then["data"][name]["sha256"] for name in now["data"]}
        resumed = [*then.get("resumed", [])]
        before = environment(config.settings, [then, *resumed][-1])
    for name, expected in checksums.items():
        if expected != now["data"][name]["sha256"]:
            raise RequestError(
                f"--resume: {folder} was started on other data than what is now in "
                f"{now['data'][name]['origin']}; put that back, or start a new run"
            )
    settings = Settings.from_json(now["settings"])
    differing = {
        name: [before.get(name), value]
        for name, value in environment(settings, now).items()
        if before.get(name) != value
    }
    facts = ("device", "versions", "command", "directory", "started")
    this = {"step": step, "otherwise": differing, **{name: now[name] for name in facts}}
    # Paths stay relative to the folder in which the run was first started.
    paths = {
        name: value
        for name, value in then["settings"].items()
        if Settings.declared()[name].kind.names is not None
    }
    changed = {"settings": now["settings"] | paths, "tasks": now["tasks"]}
    return {**then, **changed, "resumed": [*resumed, this]}


def environment(settings: Settings, config: dict[str, Any]) -> dict[str, Any]:
    """Returns what the last digits of a run depend on besides its settings."""
    threads = settings.device.threads or "as many as there are"
    return {**config["versions"], "device": config["device"], "--threads": threads}
