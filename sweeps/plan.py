"""The runs that a sweep finds, matched with its trials: a run's folder is all that it goes by."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import fmean

from errors import RequestError
from runs.config import CONFIG, Config, read_config
from runs.folder import SUMMARY, InUse, locked, parent_folder, runs_below
from sweeps.trials import Identity, Trial, identity_of
from task import is_finished

Runs = Mapping[Identity, Sequence[Config]]


class Status(Enum):
    """The state of a trial, in the words of the plan."""

    DONE = "done"
    ELSEWHERE = "running elsewhere"
    RESUME = "to resume"
    NEW = "new"


@dataclass(frozen=True)
class Job:
    """A trial and its run, where there is one."""

    trial: Trial
    folder: Path | None
    status: Status

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of task.py that start or resume the run."""
        if self.folder is None:
            return self.trial.flags
        longer = ()
        if not self.trial.settings.tasks.epochs:
            longer = ("--max-steps", str(self.trial.settings.tasks.max_steps))
        return ("--resume", str(self.folder), *longer)


def make_plan(trials: Sequence[Trial], log_dir: Path) -> list[Job]:
    """Matches each trial with a run below the log's folder.

    A run as long as its trial comes first. Where there is none, a shorter one is to be extended,
    which is not another trial's.
    """
    found = find_runs(log_dir)
    matched: dict[Trial, Config] = {}
    for fits in (is_as_long, is_shorter):
        taken = {config.folder for config in matched.values()}
        for trial in trials:
            candidates = [
                config
                for config in found.get(trial.identity, ())
                if config.folder not in taken and fits(config, trial)
            ]
            if trial not in matched and candidates:
                matched[trial] = max(candidates, key=precedence)
                taken.add(matched[trial].folder)
    return [job_of(trial, matched.get(trial)) for trial in trials]


def find_runs(folder: Path) -> Runs:
    """Returns the runs in and below a folder; those that cannot be read are no trial's."""
    found = defaultdict(list)
    for path in runs_below(folder):
        try:
            config = read_config(path)
            found[identity_of(config.settings_from_here())].append(config)
        except RequestError:
            continue
    return found


def find_run(trial: Trial) -> Path | None:
    """Returns the folder of the run that a trial has started, or None."""
    runs = find_runs(parent_folder(trial.settings)).get(trial.identity, ())
    candidates = [config for config in runs if is_as_long(config, trial)]
    return max(candidates, key=precedence).folder if candidates else None


def is_as_long(config: Config, trial: Trial) -> bool:
    """Tells whether a run trains as long as its trial."""
    wanted, stored = trial.settings.tasks, config.settings.tasks
    if wanted.epochs:
        return stored.epochs == wanted.epochs
    return stored.max_steps == wanted.max_steps


def is_shorter(config: Config, trial: Trial) -> bool:
    """Tells whether a run can be extended to the steps of its trial."""
    wanted = trial.settings.tasks
    return not wanted.epochs and config.settings.tasks.max_steps < wanted.max_steps


def precedence(config: Config) -> tuple[bool, int, str]:
    """Orders the runs of one trial: finished ones, longer ones and later ones last."""
    steps = config.settings.tasks.max_steps
    return is_finished(config.folder, steps), steps, config.folder.name


def job_of(trial: Trial, config: Config | None) -> Job:
    """Returns what is left to do for a trial, whose run's `config.json` this is."""
    if config is None:
        return Job(trial, None, Status.NEW)
    if is_as_long(config, trial) and is_finished(config.folder, config.settings.tasks.max_steps):
        return Job(trial, config.folder, Status.DONE)
    return Job(trial, config.folder, Status.ELSEWHERE if in_use(config.folder) else Status.RESUME)


def in_use(folder: Path) -> bool:
    """Tells whether another process has locked a run's folder."""
    try:
        with locked(folder):
            return False
    except InUse:
        return True
    except RequestError:  # for other reasons, which resuming it reports
        return False


def seconds_of_a_run(jobs: Iterable[Job]) -> float | None:
    """Returns the mean time that the finished runs took, those that were resumed left out."""
    spans = [
        (job.folder / SUMMARY).stat().st_mtime - (job.folder / CONFIG).stat().st_mtime
        for job in jobs
        if job.status is Status.DONE and "resumed" not in read_config(job.folder).stored
    ]
    return fmean(spans) if spans else None


def counts(jobs: Sequence[Job]) -> str:
    """Returns the number of jobs, and of those in each state, in words."""
    number = Counter(job.status for job in jobs)
    states = ", ".join(f"{number[each]} {each.value}" for each in Status if number[each])
    return f"{len(jobs)} run{'s' * (len(jobs) > 1)}: {states}"
