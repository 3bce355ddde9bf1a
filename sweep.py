"""Makes the runs that a question needs, many at once, and answers it with a report."""

import os
import sys

if __name__ == "__main__":  # before the imports below, which take a while
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # PYTHONSAFEPATH leaves it out
    from program import run_program

    run_program("sweep")

import shlex
from collections.abc import Sequence
from pathlib import Path

from command import Interrupts, check_limits, exit_code_of
from errors import RequestError, RunError
from files import scratch_folder
from report import MEMORY
from sweeps.display import Display
from sweeps.options import Options, read_options
from sweeps.plan import Job, Status, counts, make_plan
from sweeps.pool import Pool
from sweeps.process import Outcome
from sweeps.runner import Engine, Runner
from sweeps.start import remove_abandoned_starts
from sweeps.trials import Trial, make_trials


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    return exit_code_of("sweep.py", lambda interrupts: sweep(given, interrupts))


def run(arguments: Sequence[str]) -> list[Path]:
    """Makes the runs of a sweep, as the command line does, without a report; for notebooks.

    Returns:
        The runs' folders, by variant, varied flags and seed.

    Raises:
        RequestError: the flags cannot work.
        RunError: a run failed.
    """
    options = read_options(arguments)
    if options.list or options.dry_run:
        raise RequestError("--list and --dry-run: sweep.run makes the runs; leave them out")
    trials = make_trials(options)
    with Interrupts() as interrupts:
        outcomes = run_all(options, trials, Display(len(trials), quiet=True), interrupts)
    if interrupts.received:
        raise RunError("stopped, and every run has saved; the same call goes on")
    for trial in trials:
        if outcomes[trial].code:
            raise RunError(f"{trial.label}: {outcomes[trial].reason}")
    return [outcomes[trial].folder for trial in trials]


def sweep(arguments: Sequence[str], interrupts: Interrupts) -> int:
    """Makes the runs that are left to do, and reports on all."""
    options = read_options(arguments)
    trials = make_trials(options)
    if options.list or options.dry_run:
        jobs = plan_of(trials)
        if options.dry_run:
            print(counts(jobs))
        for job in jobs:
            if options.dry_run:
                print(f"{job.status.value:17}  {job.trial.label}")
            elif job.status is not Status.DONE:
                print(f"python task.py {shlex.join(job.flags)}")
        return 0
    check_writable("--output", options.output)  # before the hours that the runs take
    display = Display(len(trials), options.quiet)
    outcomes = run_all(options, trials, display, interrupts)
    failed = [outcome for outcome in outcomes.values() if outcome.code]
    if interrupts.received:
        command = shlex.join(["python", "sweep.py", *arguments])
        done = sum(not outcome.code for outcome in outcomes.values())
        display.say(
            f"stopped, {done} of {len(trials)} runs done; the same command goes on: {command}",
            always=True,
        )
        return 128 + interrupts.received
    done = [outcomes[trial].folder for trial in trials if not outcomes[trial].code]
    if done:
        answer(done, options)
    return 1 if failed else 0


def answer(folders: Sequence[Path], options: Options) -> None:
    """Reports on the runs, and prints the report's table and what each varied flag does."""
    check_limits(MEMORY)
    from reports.writing import write_report  # which loads matplotlib

    # Variants differ in several settings, which the report finds by itself.
    varied = None if len(options.variants) > 1 else [each.name for each in options.vary]
    print(write_report(folders, options.output, varied))


def plan_of(trials: Sequence[Trial]) -> list[Job]:
    """Returns what is left to do for each trial."""
    return make_plan(trials, log_dir_of(trials))


def log_dir_of(trials: Sequence[Trial]) -> Path:
    """Returns the folder of the log, which all trials have in common."""
    return trials[0].settings.log.log_dir


def check_writable(option: str, folder: Path) -> None:
    """Creates a folder where there is none, and checks that it can be written.

    Raises:
        RequestError: it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with scratch_folder(folder):
            pass
    except OSError as error:
        raise RequestError(
            f"{option}: {folder} cannot be written ({error.strerror}); name a folder that can be"
        ) from error


def run_all(
    options: Options, trials: Sequence[Trial], display: Display, interrupts: Interrupts
) -> dict[Trial, Outcome]:
    """Runs what is left to do, and returns the end of each trial's run."""
    jobs = plan_of(trials)
    done = {job.trial: Outcome(0, job.folder, "") for job in jobs if job.status is Status.DONE}
    left = [job for job in jobs if job.trial not in done]
    if not left:
        display.say(counts(jobs))
        return done
    engine = make_engine(options, [job.trial for job in left])
    try:
        check_writable("--log-dir", log_dir_of(trials))
        remove_abandoned_starts(log_dir_of(trials))
        display.plan(jobs, engine.at_once, engine.description)
        runner = Runner(engine, display, options.stop_at_failure)
        runner.run(left, interrupts)
    finally:
        engine.close()
    return done | runner.outcomes


def make_engine(options: Options, trials: Sequence[Trial]) -> Engine:
    """Returns what runs the jobs: this machine, or a cluster."""
    if options.cluster is None:
        return Pool(options, trials)
    from sweeps.cluster import Cluster

    return Cluster(options, trials)
