"""Reads a run's `config.json` back: the settings that it was started with, and what it was."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from errors import RequestError

CONFIG = "config.json"
# The settings that are paths, relative to the folder in which the run was started.
PATHS = ("data_dir", "data_dog_dir", "pickle_file", "log_dir")


def read_config(folder: Path) -> dict:
    """What `config.json` says, once it is known to have settings in it.

    Raises:
        RequestError: the folder is no run's, or the file is damaged.
    """
    path = folder / CONFIG
    try:
        config = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        what = "it has no config.json" if folder.is_dir() else "there is no such folder"
        raise RequestError(
            f"{folder} is no run's folder: {what}; name a folder such as log/t_dog_id/…/2026-…"
        ) from error
    except OSError as error:
        raise RequestError(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{path} is not JSON; mend it, or leave this run out") from error
    if not isinstance(config, dict) or not isinstance(config.get("settings"), dict):
        raise RequestError(f"{path} has no settings; is it the config.json of a run?")
    return config


def settings_with_paths(config: dict) -> dict:
    """The settings, with their paths as seen from where this is, as Path."""
    settings = dict(config["settings"])
    started_in = config.get("directory", ".")
    elsewhere = os.path.realpath(started_in) != os.getcwd()
    for name in PATHS:
        if settings[name] is not None:
            path = Path(settings[name])
            settings[name] = Path(started_in, path) if elsewhere else path
    if elsewhere and settings["weights"] not in ("none", "imagenet"):  # a file's name otherwise
        settings["weights"] = os.path.join(started_in, settings["weights"])
    return settings


@contextmanager
def damage_told(folder: Path) -> Iterator[None]:
    """Turns what comes of a config.json that is not as it was written into a line.

    Raises:
        RequestError: it is not.
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RequestError(
            f"{folder / CONFIG} is damaged ({error!r}); start the run again"
        ) from error
