"""The trials of a sweep: command lines of task.py, and the settings that they stand for."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from errors import RequestError
from runs.config import fixed_settings
from runs.request import processors, read_request
from settings import Settings, flag
from settings.values import typed
from sweeps.options import NO_FLAG, OWN, Options

# What a trial is known by: the settings that a resumed run cannot change, and where its data is.
Identity = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Trial:
    """One run that a sweep asks for."""

    flags: tuple[str, ...]  # task.py's
    settings: Settings  # that the flags resolve to
    label: str  # what distinguishes it from the sweep's other trials, the seed included

    @property
    def identity(self) -> Identity:
        """What the trial has in common with its run, however long either is."""
        return identity_of(self.settings)


def identity_of(settings: Settings) -> Identity:
    """Returns the settings by which a trial is matched with a run, in the order of their names.

    These are all that a resumed run cannot change, but for the folder of the log.
    """
    declared = Settings.declared()
    paths = {
        name: str(Path(value).absolute())
        for name, value in settings.values().items()
        if name != "log_dir" and declared[name].kind.is_path(value)
    }
    return tuple(sorted((name, repr(v)) for name, v in (fixed_settings(settings) | paths).items()))


def make_trials(options: Options) -> list[Trial]:
    """Returns all trials of a sweep: its variants, times its varied flags, times its seeds.

    Raises:
        RequestError: the flags of one cannot work, or two are the same.
    """
    combinations = list(command_lines(options))
    threads = default_threads(len(combinations))
    trials = []
    for flags, label in combinations:
        flags = ("--threads", str(threads), *flags)
        try:
            settings = settings_of_run(flags)
        except RequestError as error:
            where = f"{label}: " if len(combinations) > len(options.seeds) else ""
            raise RequestError(f"{where}{error}") from error
        trials.append(Trial(flags, settings, label))
    if len({trial.settings.log.log_dir for trial in trials}) > 1:
        raise RequestError("--log-dir: a sweep has one; name it outside of the variants")
    same = Counter((trial.identity, trial.settings.tasks) for trial in trials)
    for trial in trials:
        if same[trial.identity, trial.settings.tasks] > 1:
            raise RequestError(
                f"two runs of the sweep are the same ({trial.label}); name each value and each "
                "variant once"
            )
    return trials


def settings_of_run(flags: Sequence[str]) -> Settings:
    """Returns the settings of the new run that the flags of task.py start.

    Raises:
        RequestError: they start none, or cannot work.
    """
    command, settings = read_request(flags)
    for name, value in vars(command).items():
        if value:
            raise RequestError(f"{flag(name)}: {NO_FLAG}; {OWN[flag(name)]}")
    return settings


def default_threads(runs: int) -> int:
    """Returns the threads of each run, where --threads does not name them.

    Runs of one thread each, as many at once as there are processors, do 1.15 to 1.33 times the work
    of one run after the other with all threads (docs/sweeps.md); fewer runs than processors share
    them.
    """
    return max(1, processors() // runs)


def command_lines(options: Options) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields each trial's flags, but for its threads, and its label."""
    several = len(options.variants) > 1
    axes = [[(each.name, flags) for flags in each.values] for each in options.vary]
    for number, variant in enumerate(options.variants, start=1):
        for chosen in itertools.product(*axes):
            varied = [token for _, flags in chosen for token in flags]
            words = [" ".join(variant) or f"variant {number}"] if several else []
            words += [label_of(name, flags) for name, flags in chosen]
            for seed in options.seeds:
                flags = (*variant, *options.common, *varied, "--seed", str(seed))
                yield flags, ", ".join([*words, f"seed {seed}"])


def label_of(name: str, flags: Sequence[str]) -> str:
    """Returns a varied flag's value in words."""
    word = name.replace("_", " ")
    if len(flags) < 2:
        return f"{word} {'on' if flags and not flags[0].startswith('--no-') else 'off'}"
    return f"{word} {typed(tuple(flags[1:]))}"
