"""The training loop: train a chunk of steps, save, evaluate, log, and switch task."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import nullcontext

from errors import RunError
from runs.checkpoints import Checkpoints, Progress
from runs.config import fixed_settings
from runs.display import Display
from runs.failures import as_run_error, write_errors
from runs.history import Evaluation, Tally
from runs.log import RunLog
from runs.profiling import profile
from settings import Settings
from tasks.schedule import chunk_end, make_schedule
from training.chunks import ChunkSize
from training.pictures import log_confusions
from training.problem import Problem
from training.step import Divergence

# Steps of a chunk at most, lest the display stand still.
MAX_CHUNK = 50


class Trainer:
    """Trains a problem on its schedule, and reports to a log and a display."""

    def __init__(
        self,
        settings: Settings,
        problem: Problem,
        progress: Progress,
        log: RunLog,
        display: Display,
        measure: Callable[[Evaluation], Mapping[str, float]],
    ) -> None:
        """Begins at the progress of a checkpoint from which the problem has been restored.

        Args:
            measure: takes each evaluation from now on, and returns the metrics known by then, by
                name, that are logged; none at most evaluations.
        """
        self.settings, self.problem = settings, problem
        self.log, self.display, self.measure = log, display, measure
        self.schedule = make_schedule(settings.tasks, settings.training.seed)
        self.max_steps = settings.tasks.max_steps
        self.chunk = ChunkSize(MAX_CHUNK)  # in steps
        self.step = progress.step  # the number of steps done
        self.history = list(progress.history)
        # Of each task's steps since the last point of the training curves, by its index.
        self.tallies = defaultdict(Tally, progress.tallies)

    def run(self, checkpoints: Checkpoints, stopped: Callable[[], bool]) -> bool:
        """Trains to the last step, or until `stopped` returns True, and saves.

        A run is saved before anything is logged of its last step. So a run that is resumed, with
        more steps to train or not, logs the same as one that never ended there.

        Returns:
            Whether it reached the last step.

        Raises:
            RunError: the loss diverged, a file cannot be written, or TensorFlow failed.
        """
        frequency = self.settings.log.checkpoint_frequency
        saved = self.step  # the step of the last checkpoint
        with as_run_error(lambda: f"at step {self.step}"):
            while not stopped() and self.log_step(stopped):
                if self.step == self.max_steps:
                    log_confusions(self.problem, self.step, self.log)
                    self.log.sync()
                    return True
                self.train_chunk()
                if self.is_due(frequency):
                    self.save(checkpoints)
                    saved = self.step
            if saved != self.step:
                self.save(checkpoints)
            return False

    def is_due(self, frequency: int) -> bool:
        """Tells whether what happens every `frequency` steps and at the end happens now."""
        return self.step % frequency == 0 or self.step == self.max_steps

    def is_evaluation_due(self) -> bool:
        """Tells whether an evaluation happens now, which it also does at switches of task."""
        at_switch = self.schedule.next_switch(self.step - 1) == self.step
        log = self.settings.log
        return self.is_due(log.test_frequency) or (log.test_at_switches and at_switch)

    def train_chunk(self) -> None:
        """Trains up to the next step at which something else may be due."""
        step, log = self.step, self.settings.log
        trained = self.schedule.tasks_at(step)
        traced = log.trace and step % log.train_metadata_frequency == 0
        periods = [log.train_summary_frequency, log.test_frequency, log.checkpoint_frequency]
        if log.trace:
            periods.append(log.train_metadata_frequency)
        stops = (self.max_steps, self.schedule.next_switch(step), step + self.chunk.amount)
        end = chunk_end(step, stops, periods)
        seen = self.schedule.steps_trained(trained[0], step) * self.settings.training.batch
        with profile(self.log.folder / "train", step) if traced else nullcontext():
            try:
                with self.chunk.measured():
                    tallies = self.problem.loop_for(trained).train(step, end, seen)
            except Divergence as divergence:
                raise self.divergence_error(
                    divergence.task,
                    divergence.loss,
                    f"in training step {divergence.step}",
                    divergence.last_loss,
                ) from None
        for index, tally in tallies.items():
            self.tallies[index] += tally
        self.step = end
        self.display.progress(end, trained)

    def divergence_error(
        self, task: int, loss: float, when: str, last_loss: float = math.nan
    ) -> RunError:
        """Returns the error that reports a loss that is not finite.

        `last_loss` is the last finite one in training; NaN for that of the last evaluation.
        """
        if not math.isfinite(last_loss) and self.history:
            last_loss = self.history[-1].loss[task]
        return RunError(
            f"the loss of task {self.settings.tasks.tasks[task]} became {loss} {when}, at learning "
            f"rate {self.settings.training.learning_rate:g} (last finite loss {last_loss:.6g}); "
            "start again with a smaller --learning-rate"
        )

    def log_step(self, stopped: Callable[[], bool]) -> bool:
        """Evaluates and logs what is due after the last step.

        Returns:
            Whether it did; False, with nothing logged, if `stopped` returned True in between.
        """
        trained = self.schedule.tasks_at(self.step - 1) if self.step else ()
        if self.is_evaluation_due():
            tallies = self.problem.evaluate(stopped)
            if tallies is None:
                return False
            self.log_evaluation(trained, tallies)
        if self.step and self.is_due(self.settings.log.train_summary_frequency):
            self.log_training(trained)
        return True

    def log_evaluation(self, trained: tuple[int, ...], tallies: list[Tally]) -> None:
        """Logs and shows an evaluation after a step that trained these tasks (none at step 0).

        Raises:
            RunError: a loss is not finite.
        """
        for index, tally in enumerate(tallies):
            if not math.isfinite(tally.loss):
                raise self.divergence_error(
                    index, tally.loss, f"in the evaluation after step {self.step}"
                )
        evaluation = Evaluation(
            self.step,
            trained[0] if len(trained) == 1 else None,
            tuple(tally.accuracy for tally in tallies),
            tuple(tally.loss for tally in tallies),
        )
        self.history.append(evaluation)
        self.log.evaluation(evaluation)
        if metrics := self.measure(evaluation):
            values = {f"metrics/{name}": value for name, value in metrics.items()}
            self.log.scalars("test", self.step, values)
        self.display.evaluation(evaluation)
        for unit, mixing in self.problem.mixing():
            self.log.mixing(unit, self.step, mixing)

    def log_training(self, trained: tuple[int, ...]) -> None:
        """Logs the mean of the steps since the last point, and of each task's steps among them."""
        self.log_switch()
        total = sum(self.tallies.values(), Tally())
        learning_rate = float(self.problem.optimizer.learning_rate)
        values = {
            "accuracy/train": total.accuracy,
            "loss/train": total.loss,
            "training/learning_rate": learning_rate,
        }
        if len(trained) == 1:
            values["training/task"] = trained[0]
        self.log.scalars("train", self.step, values)
        for index, tally in self.tallies.items():
            values = {"accuracy/train": tally.accuracy, "loss/train": tally.loss}
            self.log.scalars(f"train_{self.log.curves[index]}", self.step, values)
        self.tallies.clear()

    def log_switch(self) -> None:
        """Marks in the curves that a turn has begun since their last points, where turns have two.

        The number of the task that is trained jumps there, and is no slope; and the task's own
        curves have a NaN, which TensorBoard draws as a gap.
        """
        frequency = self.settings.log.train_summary_frequency
        if (self.settings.tasks.task_time or 0) < 2 * frequency:
            return
        last_point = (self.step - 1) // frequency * frequency
        turn = self.schedule.next_switch(last_point - 1)
        if turn >= self.step:
            return
        (task,) = self.schedule.tasks_at(turn)
        before = self.schedule.tasks_at(turn - 1) if turn > last_point else ()
        for trained in (*before, task):
            self.log.scalars("train", turn, {"training/task": trained})
        if self.schedule.steps_trained(task, turn):
            gap = {"accuracy/train": math.nan, "loss/train": math.nan}
            self.log.scalars(f"train_{self.log.curves[task]}", turn, gap)

    def save(self, checkpoints: Checkpoints) -> None:
        """Saves a checkpoint from which the run can be resumed at this step."""
        progress = Progress(
            self.step,
            fixed_settings(self.settings),
            tuple(self.history),
            dict(self.tallies),
            self.log.sync(),
        )
        with write_errors(checkpoints.folder, self.log.folder):
            checkpoints.save(progress)
