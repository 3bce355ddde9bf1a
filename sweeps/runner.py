"""Works through the jobs of a sweep, several at once, until all have ended or it is stopped."""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Protocol

from command import Interrupts
from errors import Interrupted
from sweeps.display import Display
from sweeps.plan import Job
from sweeps.process import STOPPED, Outcome, Stop
from sweeps.trials import Trial

# Seconds between two looks at signals and at the runs' progress.
REFRESH = 0.5


class Engine(Protocol):
    """Where runs are made: this machine, or a cluster."""

    at_once: int  # runs at a time
    description: str  # for the plan

    def run(self, job: Job, stop: Stop) -> Outcome:
        """Runs a job to its end, or until it is to stop; called in several threads."""

    def close(self) -> None:
        """Frees what the engine holds, once all runs have ended."""


class Runner:
    """The jobs of a sweep while they are worked through, and the end of each."""

    def __init__(self, engine: Engine, display: Display, stop_at_failure: bool) -> None:
        self.engine, self.display, self.stop_at_failure = engine, display, stop_at_failure
        self.stop = Stop(Event(), Event())
        self.outcomes: dict[Trial, Outcome] = {}

    def run(self, jobs: Sequence[Job], interrupts: Interrupts) -> None:
        """Runs the jobs; a signal saves and ends those that are going."""
        with (
            interrupts.deferred(),
            self.display.going(),
            ThreadPoolExecutor(self.engine.at_once) as threads,
        ):
            try:
                self.wait_for({threads.submit(self.run_one, job) for job in jobs}, interrupts)
            except Interrupted as interrupted:
                interrupted.advice = "; the same command goes on"
                self.stop.now.set()
                raise
            finally:
                self.stop.saved.set()

    def run_one(self, job: Job) -> None:
        """Runs a job, unless the sweep is to stop, and shows its start and end."""
        if self.stop.saved.is_set():
            self.outcomes[job.trial] = Outcome(STOPPED, job.folder, "")
            return
        self.display.started(job)
        outcome = self.outcomes[job.trial] = self.engine.run(job, self.stop)
        self.display.ended(job, outcome, stopped=self.stop.saved.is_set())
        if outcome.code and self.stop_at_failure:
            self.stop.saved.set()

    def wait_for(self, pending: set[Future], interrupts: Interrupts) -> None:
        """Waits until all have ended, shows their progress, and passes a signal on to them."""
        while pending:
            ended, pending = wait(pending, REFRESH, FIRST_COMPLETED)
            for future in ended:
                future.result()  # raises what went wrong in this process
            if interrupts.stopped() and not self.stop.saved.is_set():
                self.stop.saved.set()
                self.display.say("the runs save and end; Ctrl-C again ends them at once")
            self.display.refresh()
