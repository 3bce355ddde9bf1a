"""The contents of `config.json`: everything that a run follows from."""

import hashlib
import os
import platform
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from command import one_line
from errors import RequestError
from runs.config import read_config
from settings import Settings
from tasks import Task
from tasks.schedule import count_steps, make_schedule

if TYPE_CHECKING:
    from data.dataset import Dataset

# How the names of the variables begin that TensorFlow, oneDNN, XLA, OpenMP and CUDA heed.
HEEDED = (
    *("TF_", "ONEDNN_", "DNNL_", "XLA_", "OMP_", "KMP_", "MKL_"),
    *("CUDA_", "CUDNN_", "NVIDIA_TF32_OVERRIDE"),
)
# Those that this program sets, or that are of Terraform, some of which are secret.
NOT_HEEDED = ("TF_CPP_", "TF_VAR_", "TF_TOKEN_", "TF_CLI_", "TF_LOG", "TF_DATA_DIR")
MAX_FACT = 60  # characters of a fact about the environment, for a note of one line
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
        "machine": describe_machine(),
        "variables": describe_variables(),
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
            "steps": count_steps(schedule, index, settings.tasks.max_steps),
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
    for name in config.fact("data"):
        config.fact("data", name, "origin")
    for name, dataset in now["data"].items():
        if config.fact("data", name, "sha256") != dataset["sha256"]:
            raise RequestError(
                f"--resume: {folder} was started on other data than what is now in "
                f"{dataset['origin']}; put that back, or start a new run"
            )
    config.fact("parameters")
    resumed = then.get("resumed") or []
    differing = differences(
        environment(config.settings, [then, *resumed][-1]),
        environment(Settings.from_json(now["settings"]), now),
    )
    facts = ("device", "versions", "machine", "variables", "command", "directory", "started")
    this = {"step": step, "otherwise": differing, **{name: now[name] for name in facts}}
    # Paths stay relative to the folder in which the run was first started.
    paths = {
        name: value
        for name, value in then["settings"].items()
        if Settings.declared()[name].kind.names is not None
    }
    changed = {"settings": now["settings"] | paths, "tasks": now["tasks"]}
    return {**then, **changed, "resumed": [*resumed, this]}


def environment(settings: Settings, config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns what the last digits of a run depend on besides its settings, in parts.

    Args:
        settings: the run's.
        config: what `describe_run` returned for it; older versions wrote fewer of the parts.
    """
    threads = settings.device.threads or "as many as there are"
    device = {"device": config.get("device"), "--threads": threads}
    parts = {name: config.get(name) for name in ("versions", "machine", "variables")}
    return {**{name: part for name, part in parts.items() if part is not None}, "device": device}


def differences(
    before: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]
) -> dict[str, list[str]]:
    """Returns what differs between two environments: each value before and now, by its name.

    A part that either lacks is unknown, and no difference.
    """
    return {
        short(name): [short(str(each[part].get(name, "nothing"))) for each in (before, now)]
        for part in now
        if part in before
        for name in before[part] | now[part]
        if before[part].get(name) != now[part].get(name)
    }


def describe_machine() -> dict[str, str]:
    """Returns the kind of the processor, on which the order of a sum's terms depends."""
    model = platform.processor()
    with suppress(OSError):  # which only Linux has
        described = Path("/proc/cpuinfo").read_text(errors="replace")
        names = re.findall(r"^model name\s*:(.*)$", described, re.MULTILINE)
        model = names[0] if names else model
    return {"processor": short(model), "machine": platform.machine()}


def describe_variables() -> dict[str, str]:
    """Returns the environment variables that TensorFlow and its libraries heed, by name."""
    return {
        short(name): short(value)
        for name, value in sorted(os.environ.items())
        if name.startswith(HEEDED) and not name.startswith(NOT_HEEDED)
    }


def short(text: str) -> str:
    """Returns a text in one printable line of at most MAX_FACT characters."""
    line = one_line(text)
    return line if len(line) <= MAX_FACT else line[: MAX_FACT - 1] + "…"
