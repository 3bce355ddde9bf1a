"""A run's `config.json`: the settings that it was started with, and everything it follows from."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from errors import RequestError
from files import open_regular
from networks.checks import check_memory, resolve_network
from settings import Settings, TaskSettings, values
from settings.setting import REQUIRED, settings_of
from settings.values import Kind
from tasks import Task

CONFIG = "config.json"
MAX_CONFIG = 100_000_000  # bytes; of a run on a thousand tasks it has a thousandth

TEXT, COUNT = values.text("TEXT"), values.whole_number("N", 0)
# What a run is computed with and on.
ENVIRONMENT = {
    "device": TEXT,
    "versions": {...: TEXT},  # by any name
    "machine": {...: TEXT},
    "variables": {...: TEXT},
}
DATASET = {"origin": TEXT, "train": COUNT, "test": COUNT, "classes": [TEXT], "sha256": TEXT}
# The form of all that is read back besides the settings. Each part may be missing or null: older
# versions wrote less.
FACTS = {
    **ENVIRONMENT,
    "data": {...: DATASET},
    "parameters": COUNT,
    "directory": values.path("DIR"),
    "resumed": [ENVIRONMENT],
}


@dataclass(frozen=True)
class Config:
    """A `config.json` that has been read back."""

    folder: Path  # the run's
    settings: Settings
    stored: dict[str, Any]  # the whole file, as `runs.description.describe_run` made it

    def settings_from_here(self) -> Settings:
        """Returns the settings with their paths relative to the current folder.

        In the file they are relative to the folder in which the run was started.
        """
        started_in = self.stored.get("directory") or "."
        if os.path.realpath(started_in) == os.getcwd():
            return self.settings
        paths = {
            name: type(value)(os.path.join(started_in, value))
            for name, value in self.settings.values().items()
            if Settings.declared()[name].kind.is_path(value)
        }
        return self.settings.replace(**paths)

    def fact(self, *names: str) -> Any:
        """Returns what stands in the file under these names, each within the one before.

        Raises:
            RequestError: it is not there.
        """
        value = self.stored
        for name in names:
            value = (value or {}).get(name)
        if value is None:
            raise RequestError(
                f"{self.folder / CONFIG} has no {'.'.join(names)}; repair it, or start the run "
                "again"
            )
        return value


def read_config(folder: Path) -> Config:
    """Reads the `config.json` of a run, and checks the form of all of it that is used.

    Raises:
        RequestError: the folder holds no run, or the file is damaged.
    """
    path = folder / CONFIG
    try:
        with open_regular(path) as file:
            contents = file.read(MAX_CONFIG + 1)
        if len(contents) > MAX_CONFIG:
            raise RequestError(f"{path} has more than {MAX_CONFIG:,} bytes, which no run writes")
        stored = json.loads(contents)
    except (FileNotFoundError, NotADirectoryError) as error:
        reason = "it has no config.json" if folder.is_dir() else "there is no such folder"
        raise RequestError(
            f"{folder} is no run's folder: {reason}; name a folder such as log/t_dog_id/…/2026-…"
        ) from error
    except OSError as error:
        raise RequestError(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{path} is not JSON; repair it, or leave this run out") from error
    if not isinstance(stored, dict) or not isinstance(stored.get("settings"), dict):
        raise RequestError(f"{path} has no settings; is it the config.json of a run?")
    try:
        # The first runs had their seed, and whether their data was drawn, beside the settings.
        beside = {name: stored[name] for name in ("seed", "fake_data") if name in stored}
        settings = Settings.from_json(beside | stored["settings"])
    except ValueError as error:
        raise RequestError(
            f"{path}: its settings are damaged or of another version ({error}); repair it, or "
            "leave this run out"
        ) from error
    check_schedule(path, settings.tasks)
    try:
        check_form(stored, FACTS)
    except ValueError as error:
        raise RequestError(
            f"{path} is damaged or of another version ({error}); repair it, or leave this run out"
        ) from error
    return Config(folder, settings, stored)


def check_schedule(path: Path, settings: TaskSettings) -> None:
    """Refuses the settings in a `config.json` from which no schedule follows.

    Raises:
        RequestError: a setting is missing or does not fit the others.
    """
    weights = settings.task_weights
    fitting = {
        "task_time": settings.task_time is not None or settings.schedule != "cycle",
        "task_weights": weights is None or (len(weights) == len(settings.tasks) and any(weights)),
        "max_steps": settings.max_steps is not None,
    }
    for name, fits in fitting.items():
        if not fits:
            raise RequestError(
                f"{path}: no schedule follows from its {name}, {getattr(settings, name)!r:.60}; "
                "repair it, or leave this run out"
            )


def check_form(value: object, form: Any, *place: str) -> None:
    """Checks a value from JSON, and all in it.

    Args:
        form: of the value: a kind; a list of one form, that of each item; or a dict of the form of
            each part by its name, of which `...` stands for any.
        place: the names under which the value stands, for the message.

    Raises:
        ValueError: the value has another form. It may be None in any place but a list.
    """
    if value is None:
        return
    if isinstance(form, Kind):
        try:
            form.from_json(value)
        except ValueError as error:
            raise ValueError(f"{'.'.join(place)}: {error}") from None
        return
    in_list = value if isinstance(value, list) else ["no list"]
    if not isinstance(value, type(form)) or None in in_list or not in_list:
        expected = "names with values" if isinstance(form, dict) else "a list of one value or more"
        raise ValueError(f"{'.'.join(place)}: expected {expected}, got {value!r:.60}")
    parts = value if isinstance(value, dict) else dict(enumerate(value))
    forms = dict.fromkeys(parts, form[0]) if isinstance(form, list) else form
    forms = dict.fromkeys(parts, form[...]) if ... in forms else forms
    for name, part_form in forms.items():
        check_form(parts.get(name), part_form, *place, str(name))


def check_network(folder: Path, settings: Settings, tasks: Sequence[Task]) -> None:
    """Refuses settings of a run that describe no network for its tasks.

    Raises:
        RequestError: they do not, or one is missing.
    """
    # The file of the weights that the run began with may be gone: a checkpoint replaces them.
    network = replace(settings.network, weights="none", freeze_backbone=False)
    classes = [task.classes for task in tasks]
    names = [task.name for task in tasks]
    try:
        resolved = resolve_network(network, settings.input, dict(zip(names, classes, strict=True)))
        check_memory(resolved, settings.input, settings.training.batch, classes)
    except RequestError as error:
        raise RequestError(
            f"{folder / CONFIG} does not describe a network ({error}); start the run again"
        ) from error
    check_resolved(folder, network, resolved)


def check_resolved(folder: Path, stored: object, resolved: object) -> None:
    """Refuses stored settings that resolving them changes, as it does where one is missing.

    Args:
        stored: a section of the settings.
        resolved: the same after resolving.

    Raises:
        RequestError: a setting that others decide has not the value that follows from them.
    """
    for name, facts in settings_of(stored).items():
        value, expected = getattr(stored, name), getattr(resolved, name)
        if facts.conditional and value != expected:
            raise RequestError(
                f"{folder / CONFIG} has {value!r:.60} as {name}, and with its other settings that "
                f"is {expected!r:.60}; repair it, or start a new run"
            )


def check_saved(folder: Path, settings: Settings, saved: Mapping[str, object], step: int) -> None:
    """Refuses to resume from a checkpoint that was saved with other settings.

    Args:
        folder: the run's.
        saved: the checkpoint's `fixed_settings`, of this version or an older one.
        step: the number of steps done then.

    Raises:
        RequestError: the settings differ, or end the run before that step.
    """
    for name, value in fixed_settings(settings).items():
        before = saved[name] if name in saved else Settings.declared()[name].older_value(saved)
        if before != value:
            before = "none" if before is REQUIRED else before
            raise RequestError(
                f"{folder / CONFIG} has {name} {value}, and the run was saved with {before}; put "
                "that back, or start a new run"
            )
    if step > settings.tasks.max_steps:
        raise RequestError(
            f"{folder / CONFIG} has {settings.tasks.max_steps} as max_steps, and {step} are done; "
            "put back what it had, or start a new run"
        )


def fixed_settings(settings: Settings) -> dict[str, object]:
    """Returns, as JSON, the settings that no resumption may change, paths not among them."""
    declared = Settings.declared()
    return {
        name: value
        for name, value in settings.to_json().items()
        if not declared[name].resumable and declared[name].kind.names is None
    }
