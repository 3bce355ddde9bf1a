"""Makes the runs that a question needs, many at once, and answers it with a report."""

import os
import sys

if __name__ == "__main__":  # before the imports below, which take a while
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # PYTHONSAFEPATH leaves it out
    from program import run_program

    run_program("sweep")

import shlex
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from threading import Event

from command import Interrupts, exit_code_of
from errors import Interrupted, RunError
from sweeps.display import Display
from sweeps.options import Options, read_options
from sweeps.plan import Job, Status, counts, make_plan
from sweeps.pool import Pool
from sweeps.process import Outcome, Stop
from sweeps.trials import Trial, make_trials

# Seconds between two looks at the runs' progress.
REFRESH = 0.5


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
    trials = make_trials(options)
    with Interrupts() as interrupts:
        outcomes = run_all(options, trials, Display(len(trials), quiet=True), interrupts)
    failed = [outcome for outcome in outcomes.values() if outcome.code]
    if failed:
        raise RunError(failed[0].error or "a run was stopped")
    return [outcomes[trial].folder for trial in trials]


def sweep(arguments: Sequence[str], interrupts: Interrupts) -> int:
    """Makes the runs that are left to do, and reports on all."""
    options = read_options(arguments)
    trials = make_trials(options)
    if options.list or options.dry_run:
        for job in plan_of(trials):
            if options.dry_run:
                print(f"{job.status.value:17}  {job.trial.label}")
            elif job.status is not Status.DONE:
                print(f"python task.py {shlex.join(job.flags)}")
        return 0
    display = Display(len(trials), options.quiet)
    outcomes = run_all(options, trials, display, interrupts)
    failed = [outcome for outcome in outcomes.values() if outcome.code]
    if interrupts.received:
        command = shlex.join(["python", "sweep.py", *arguments])
        display.say(f"stopped; the same command goes on: {command}", always=True)
        return 128 + interrupts.received
    done = [outcomes[trial].folder for trial in trials if not outcomes[trial].code]
    if done:
        answer(done, options)
    return 1 if failed else 0


def answer(folders: Sequence[Path], options: Options) -> None:
    """Reports on the runs, and prints the report's table."""
    from report import report

    report(folders, options.output)


def plan_of(trials: Sequence[Trial]) -> list[Job]:
    """Returns what is left to do for each trial."""
    return make_plan(trials, Path(trials[0].settings.log.log_dir))


def run_all(
    options: Options, trials: Sequence[Trial], display: Display, interrupts: Interrupts
) -> dict[Trial, Outcome]:
    """Runs what is left to do, and returns the end of each trial's run."""
    jobs = plan_of(trials)
    pool = Pool(options, trials)
    display.say(f"{len(jobs)} runs: {counts(jobs)}; {pool.description}")
    outcomes = {job.trial: Outcome(0, job.folder, "") for job in jobs if job.status is Status.DONE}
    display.counts["done"] = len(outcomes)
    stop = Stop(Event(), Event())
    futures: dict[Future[Outcome], Job] = {}
    try:
        with interrupts.deferred(), display.going():
            for job in jobs:
                if job.status is not Status.DONE:
                    futures[pool.submit(job, stop, display.started)] = job
            pending = set(futures)
            while pending:
                ended, pending = wait(pending, REFRESH, FIRST_COMPLETED)
                for future in ended:
                    job = futures[future]
                    outcomes[job.trial] = future.result()
                    if not stop.saved.is_set():
                        display.ended(job, outcomes[job.trial])
                failed = any(outcome.code for outcome in outcomes.values())
                if interrupts.stopped() or (failed and options.stop_at_failure):
                    stop.saved.set()
                display.refresh()
    except Interrupted:
        stop.now.set()
        stop.saved.set()
        raise
    finally:
        pool.close()
    return outcomes
