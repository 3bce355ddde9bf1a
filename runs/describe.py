"""What a run is: in full for `config.json`, and in a few rows for the terminal."""

import argparse
import hashlib
import platform
import shlex
import sys
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from errors import RequestError
from runs.config import PATHS, damage_told, read_config
from tasks import Task

if TYPE_CHECKING:  # what takes seconds to import is not imported before the flags are checked
    from data.dataset import Dataset
    from training.trainer import Trainer

PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "tensorboard")
# Of more tasks than this the terminal names the first alone.
MOST_TASKS = 12


def plain_settings(settings: argparse.Namespace) -> dict:
    """The settings as JSON can hold them."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(settings).items()
        if name not in ("list_tasks", "dry_run", "resume")
    }


def describe_run(
    trainer: "Trainer", tasks: list[Task], datasets: "dict[str, Dataset]", device: str
) -> dict:
    """What `config.json` says: all that a run follows from."""
    settings = trainer.settings
    return {
        "settings": plain_settings(settings),
        "seed": settings.seed,
        "fake_data": settings.fake_data,
        "tasks": [
            {
                "name": task.name,
                "description": task.description,
                "classes": task.classes,
                "train": len(learner.train_labels),
                "test": len(learner.test_labels),
                "steps": trainer.schedule.steps_trained(learner.index, settings.max_steps),
            }
            for task, learner in zip(tasks, trainer.learners, strict=True)
        ],
        "data": {
            name: {
                "origin": dataset.origin,
                "train": len(dataset.train.labels),
                "test": len(dataset.test.labels),
                "classes": dataset.class_names,
                "sha256": digest_of(dataset),
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
        "directory": str(Path.cwd()),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def digest_of(dataset: "Dataset") -> str:
    """Stands for every image and label of a dataset."""
    digest = hashlib.sha256()
    for split in (dataset.train, dataset.test):
        for array in (split.images, split.labels):
            digest.update(f"{array.shape}".encode())
            digest.update(array.tobytes() if not array.flags.c_contiguous else array.data)
    return digest.hexdigest()


def what_bits_depend_on(settings: dict, config: dict) -> dict:
    """What a run's last digits depend on besides its settings."""
    threads = settings["threads"] or "as many as there are"
    return {**config["versions"], "device": config["device"], "--threads": threads}


def taken_up(folder: Path, now: dict, step: int) -> dict:
    """What `config.json` says of a run that is taken up after so many steps.

    Args:
        folder: the run's.
        now: what `describe_run` says of it.

    Raises:
        RequestError: it was started on other data.
    """
    then = read_config(folder)
    with damage_told(folder):
        digests = {name: then["data"][name]["sha256"] for name in now["data"]}
        resumed = [*then.get("resumed", [])]
        before = what_bits_depend_on(then["settings"], [then, *resumed][-1])
    for name, digest in digests.items():
        if digest != now["data"][name]["sha256"]:
            raise RequestError(
                f"--resume: {folder} was started on other data than what is now in "
                f"{now['data'][name]['origin']}; put that back, or start a new run"
            )
    is_now = what_bits_depend_on(now["settings"], now)
    other = {name: [before.get(name), value] for name, value in is_now.items()}
    other = {name: values for name, values in other.items() if values[0] != values[1]}
    facts = ("device", "versions", "command", "directory", "started")
    this = {"step": step, "otherwise": other, **{name: now[name] for name in facts}}
    # Their paths stay as they are, seen from where the run was first started.
    paths = {name: then["settings"][name] for name in (*PATHS, "weights")}
    changed = {"settings": now["settings"] | paths, "tasks": now["tasks"]}
    return {**then, **changed, "resumed": [*resumed, this]}


def version_of(package: str) -> str | None:
    """The version installed; None where it goes by another name, as TensorFlow's variants do."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def what_will_run(config: dict, folder: Path) -> list[tuple[str, str]]:
    """What is told before training, out of `describe_run`: a label and a text to a row."""
    settings = config["settings"]
    texts = [
        f"{task['name']}: {task['description']}; "
        f"{task['train']:,} to train, {task['test']:,} to test"
        for task in config["tasks"]
    ]
    if len(texts) > MOST_TASKS:
        texts = [*texts[: MOST_TASKS - 1], f"and {len(texts) - MOST_TASKS + 1} more"]
    rows = [("" if index else "tasks", text) for index, text in enumerate(texts)]
    rows += [("data", dataset["origin"]) for dataset in config["data"].values()]
    if settings["fake_data"]:
        rows.append(("", "DRAWN DATA: its accuracies say nothing of MNIST or of photographs"))
    return [
        *rows,
        *describe_resumption(config),
        ("input", describe_input(settings)),
        ("network", describe_network(config)),
        ("training", describe_training(settings)),
        ("schedule", describe_schedule(settings)),
        *never_trained(config),
        ("device", config["device"]),
        ("folder", str(folder)),
        ("to watch", f"tensorboard --logdir {shlex.quote(settings['log_dir'])}"),
    ]


def describe_resumption(config: dict) -> list[tuple[str, str]]:
    """From where a run goes on that is taken up, and what may change its last digits."""
    if not config.get("resumed"):
        return []
    now = config["resumed"][-1]
    nothing_saved = "" if now["step"] else ": nothing was saved yet, and it begins again"
    steps = f"after {now['step']:,} of {config['settings']['max_steps']:,} steps{nothing_saved}"
    rows = [("goes on", steps)]
    for name, (before, is_now) in now["otherwise"].items():
        rows.append(("", f"{name} {is_now} in place of {before}: the last digits may differ"))
    return rows


def describe_input(settings: dict) -> str:
    """How images come to the network."""
    size = settings["image_size"]
    standardised = ", each pixel standardised" if settings["standardize"] else ""
    return f"{size}×{size} pixels, {settings['input_style']}{standardised}"


def describe_network(config: dict) -> str:
    """Which layers, how many numbers, and which heads."""
    settings = config["settings"]
    norm = {"batch": "batch", "lrn": "local response", "none": "no"}[settings["norm"]]
    several = settings["heads"] == "multi" and len(config["tasks"]) > 1
    heads = " and a head for each task" if several else ""
    return (
        f"{' '.join(settings['network'])}{heads}: {config['parameters']:,} parameters, {norm} "
        "normalisation"
    )


def describe_training(settings: dict) -> str:
    """How it learns."""
    l2 = f", l2 {settings['l2']:g}" if settings["l2"] else ""
    return (
        f"{settings['optimizer']}, learning rate {settings['learning_rate']:g}{l2}, batch "
        f"{settings['batch']}, keep probability {settings['dropout']:g}, seed {settings['seed']}"
    )


def describe_schedule(settings: dict) -> str:
    """How long, and which task when."""
    steps = f"{settings['max_steps']:,} steps"
    if len(settings["tasks"]) == 1:
        return steps
    if settings["schedule"] == "cycle":
        return f"{steps}, {settings['task_time']:,} on each task in turn"
    weights = settings["task_weights"]
    in_proportion = f", in proportion to {' '.join(f'{w:g}' for w in weights)}" if weights else ""
    if settings["schedule"] == "random":
        return f"{steps}, each on a task drawn at random{in_proportion}"
    return f"{steps}, each on all tasks, with the sum of their losses{in_proportion}"


def never_trained(config: dict) -> list[tuple[str, str]]:
    """A row that names the tasks whose turn does not come, if there are any."""
    names = [task["name"] for task in config["tasks"] if not task["steps"]]
    text = f"too few for a turn of {', '.join(names)}; lower --task-time or raise --max-steps"
    if config["settings"]["schedule"] == "random":
        text = f"never drawn: {', '.join(names)}; raise --max-steps, or its --task-weights"
    return [("", text)] if names else []
