"""The settings of a run that is taken up again, and which of them may change."""

import argparse
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from errors import RequestError
from runs.config import CONFIG, PATHS, damage_told, read_config, settings_with_paths
from settings.checks import check_and_resolve

# What may be otherwise than when the run was started: how far it goes, on what, what is shown.
MAY_CHANGE = {
    *("max_steps", "epochs", "gpu", "threads", "quiet"),
    *("resume", "dry_run", "list_tasks"),  # which are not of a run
}

Parse = Callable[[Sequence[str]], argparse.Namespace]


def resumed_settings(
    asked: argparse.Namespace, arguments: Sequence[str], parse: Parse
) -> argparse.Namespace:
    """The settings that a run was started with, and of the flags given now those that may change.

    Args:
        asked: those flags alone, parsed.
        arguments: those flags.
        parse: parses flags, and raises RequestError.

    Raises:
        RequestError: the folder is no run's, or something else is to change.
    """
    folder = asked.resume
    started_with = flags_of(folder)
    try:
        started = parse(started_with)
    except RequestError as error:
        raise RequestError(
            f"--resume: {folder / CONFIG} is damaged ({error}); start the run again"
        ) from error
    if asked.epochs is not None:
        raise RequestError("--epochs: a run is taken up with --max-steps; name that")
    settings = parse([*started_with, *arguments])
    try:
        check_and_resolve(started)
    except RequestError as error:
        raise RequestError(
            f"--resume: {folder} goes on with what it was started with, and that cannot be had: "
            f"{error}"
        ) from error
    check_and_resolve(settings)
    for name, value in vars(settings).items():
        if name not in MAY_CHANGE and not alike(value, getattr(started, name)):
            raise RequestError(
                f"--{name.replace('_', '-')}: {folder} was started with "
                f"{in_words(getattr(started, name))}, and now it is {in_words(value)}; leave the "
                "flag out, or start a new run"
            )
    if settings.max_steps < started.max_steps:
        raise RequestError(
            f"--max-steps {settings.max_steps}: {folder} is to go to {started.max_steps}; "
            "name that or more, or leave the flag out"
        )
    return settings


def what_stays(settings: argparse.Namespace) -> dict:
    """The settings without which a run that is taken up would be another, as JSON has them."""
    left_out = {*MAY_CHANGE, *PATHS, "weights"}  # which may be a path too
    return {name: value for name, value in vars(settings).items() if name not in left_out}


def flags_of(folder: Path) -> list[str]:
    """The flags that a run was started with, as seen from where this is."""
    try:
        config = read_config(folder)
    except RequestError as error:
        raise RequestError(f"--resume: {error}") from error
    if "checkpoint_frequency" not in config["settings"]:
        raise RequestError(
            f"--resume: {folder} was made by an older version of this program, which did not save "
            "what is needed for that; start the run again"
        )
    with damage_told(folder):
        return as_flags(settings_with_paths(config))


def as_flags(settings: dict) -> list[str]:
    """The flags that resolve to those settings, --quiet not among them."""
    flags = []
    for name, value in settings.items():
        flag = "--" + name.replace("_", "-")
        # --epochs only says how --max-steps came about.
        if value is None or value is False or value == [] or name in ("quiet", "epochs"):
            continue
        if value is True:
            flags.append(flag)
        elif isinstance(value, list):
            flags += [flag, *map(typed, value)]
        else:
            flags.append(f"{flag}={value}")
    return flags


def typed(value: object) -> str:
    """One of several values as it is typed: argparse would take -1e-05 for a flag."""
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)


def alike(one: object, other: object) -> bool:
    """Whether two values of a setting mean the same."""
    if isinstance(one, Path) and isinstance(other, Path):
        return one.resolve() == other.resolve()
    return one == other


def in_words(value: object) -> str:
    """A setting's value as it is typed."""
    if value is None or isinstance(value, bool):
        return "on" if value else "nothing"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
