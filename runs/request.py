"""From the command line to the settings of a run, new or resumed."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from errors import RequestError
from networks.checks import check_memory, resolve_network
from runs.config import check_resolved, read_config
from settings import DataSettings, Settings, flag
from settings.experiment import LEARNING_RATES
from settings.parser import parse_flags
from settings.running import MAX_BREEDS, MAX_THREADS, Command
from settings.setting import settings_of
from settings.values import typed
from tasks.resolve import choose_tasks, resolve_schedule

# Steps. Shorter turns alternate mini-batches: an evaluation at each switch would take most of the
# time, and show no forgetting.
MIN_EVALUATED_TURN = 10


def read_request(arguments: Sequence[str]) -> tuple[Command, Settings]:
    """Returns what the command line asks for, with the settings checked and resolved.

    Raises:
        RequestError: flags that cannot work, alone or together.
        SystemExit: --help (code 0).
    """
    given = parse_flags(arguments)
    command = Command(**{name: given.pop(name) for name in settings_of(Command) if name in given})
    if command.list_tasks:
        return command, Settings()
    if command.resume:
        return command, resumed_settings(command.resume, given)
    return command, resolve(Settings().replace(**given))


def resolve(settings: Settings) -> Settings:
    """Checks the settings, and sets those that were left out and follow from others.

    Resolved settings resolve to themselves.

    Raises:
        RequestError: the settings cannot work together, or name files that are missing.
    """
    check_data(settings.data)
    check_places(settings)
    chosen = choose_tasks(settings.tasks, settings.data, settings.log.quiet)
    names = tuple(task.name for task in chosen)
    tasks = resolve_schedule(replace(settings.tasks, tasks=names))
    classes = [task.classes for task in chosen]
    network = resolve_network(
        settings.network, settings.input, dict(zip(names, classes, strict=True))
    )
    check_memory(network, settings.input, settings.training.batch, classes)
    training = settings.training
    if training.learning_rate is None:
        training = replace(training, learning_rate=LEARNING_RATES[training.optimizer])
    device = replace(settings.device, threads=settings.device.threads or processors())
    log = settings.log
    if log.test_at_switches is None:
        long_turns = tasks.task_time is not None and tasks.task_time >= MIN_EVALUATED_TURN
        log = replace(log, test_at_switches=long_turns)
    return replace(
        settings, tasks=tasks, network=network, training=training, device=device, log=log
    )


def processors() -> int:
    """Returns the number of processors that this process may use, which is TensorFlow's default."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return min(allowed, MAX_THREADS)


def check_data(data: DataSettings) -> None:
    """Refuses data folders that do not exist, and a wrong number of breeds."""
    for name in ("data_dir", "data_dog_dir"):
        folder = getattr(data, name)
        # os.path accepts names that no folder can have, where pathlib fails.
        if folder is not None and not os.path.isdir(folder) and not data.fake_data:
            raise RequestError(
                f"{flag(name)}: there is no folder {folder}; name one that has the data, leave "
                f"{flag(name)} out to download it, or use --fake-data"
            )
    breeds = data.dog_breeds
    if data.fake_data and breeds:
        raise RequestError("--dog-breeds: drawn dogs have breeds of their own; leave one flag out")
    if breeds is not None and not 2 <= len(set(breeds)) == len(breeds) <= MAX_BREEDS:
        raise RequestError(
            f"--dog-breeds: expected 2 to {MAX_BREEDS} different breeds, got {' '.join(breeds)}"
        )


def check_places(settings: Settings) -> None:
    """Refuses output paths that are something else already, or cannot exist."""
    cache_file = None if settings.data.fake_data else settings.data.pickle_file
    for option, path, kind, fits in (
        ("--log-dir", settings.log.log_dir, "folder", S_ISDIR),
        ("--pickle-file", cache_file, "file", S_ISREG),
    ):
        try:
            str(path).encode()  # TensorFlow accepts no other names
            problem = None if path is None or fits(path.stat().st_mode) else f"it is no {kind}"
        except FileNotFoundError:
            problem = None  # the run creates it
        except (OSError, ValueError) as error:
            problem = getattr(error, "strerror", None) or str(error)
        if problem:
            raise RequestError(f"{option}: {path} cannot be used ({problem}); name another {kind}")


def resumed_settings(folder: Path, given: Mapping[str, object]) -> Settings:
    """Returns the settings of the run in the folder, with the resumable ones among those given.

    Raises:
        RequestError: the folder holds no run, or another setting is to change.
    """
    try:
        config = read_config(folder)
    except RequestError as error:
        raise RequestError(f"--resume: {error}") from error
    if "checkpoint_frequency" not in config.stored["settings"]:
        raise RequestError(
            f"--resume: {folder} was made by an older version of this program, which saved no "
            "checkpoints to resume from; start the run again"
        )
    if "epochs" in given:
        raise RequestError("--epochs: a run is resumed with --max-steps; name that")
    # --epochs has become --max-steps, and --quiet is for one command.
    stored = config.settings_from_here().replace(epochs=None, quiet=False)
    # The folder of the log may be gone or moved since.
    log_dir, stored = stored.log.log_dir, stored.replace(log_dir=folder.parent)
    try:
        started = resolve(stored).replace(log_dir=log_dir)
    except RequestError as error:
        raise RequestError(
            f"--resume: {folder} resumes with the settings that it was started with, and these "
            f"cannot be used: {error}"
        ) from error
    for section in ("tasks", "network", "log"):
        check_resolved(folder, getattr(stored, section), getattr(started, section))
    check_unchanged(folder, started, given)
    resumable = {name: value for name, value in given.items() if name != "log_dir"}
    settings = resolve(stored.replace(**resumable)).replace(log_dir=log_dir)
    if settings.tasks.max_steps < started.tasks.max_steps:
        raise RequestError(
            f"--max-steps {settings.tasks.max_steps}: {folder} is to train "
            f"{started.tasks.max_steps}; name that or more, or leave the flag out"
        )
    return settings


def check_unchanged(folder: Path, started: Settings, given: Mapping[str, object]) -> None:
    """Refuses another value for a setting that is not resumable."""
    before = started.values()
    for name, value in given.items():
        with suppress(RequestError):  # of an invalid value, which is not the run's
            changed = started.replace(log_dir=folder.parent).replace(**{name: value})
            value = resolve(changed).values()[name]
        both = [
            each.resolve() if isinstance(each, Path) else each for each in (value, before[name])
        ]
        if not Settings.declared()[name].resumable and both[0] != both[1]:
            raise RequestError(
                f"{flag(name)}: {folder} was started with {typed(before[name])}, and now it is "
                f"{typed(value)}; leave the flag out, or start a new run"
            )
