"""A run's `config.json`: the settings that it was started with, and everything it follows from."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import RequestError
from files import read_regular
from settings import Settings

CONFIG = "config.json"


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
        started_in = self.stored.get("directory", ".")
        if os.path.realpath(started_in) == os.getcwd():
            return self.settings
        paths = {
            name: type(value)(os.path.join(started_in, value))
            for name, value in self.settings.values().items()
            if Settings.declared()[name].kind.is_path(value)
        }
        return self.settings.replace(**paths)


def read_config(folder: Path) -> Config:
    """Reads the `config.json` of a run.

    Raises:
        RequestError: the folder holds no run, or the file is damaged.
    """
    path = folder / CONFIG
    try:
        stored = json.loads(read_regular(path))
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
    return Config(folder, settings, stored)


@contextmanager
def config_errors(folder: Path) -> Iterator[None]:
    """Reports a config.json whose facts are not as they were written.

    Raises:
        RequestError: the file is damaged.
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RequestError(
            f"{folder / CONFIG} is damaged ({error!r}); start the run again"
        ) from error


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
        before = saved.get(name, Settings.declared()[name].older)
        if before != value:
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
