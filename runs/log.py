"""A run's log: event files for TensorBoard, and `metrics.jsonl`."""

import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

from command import print_note
from errors import RequestError
from escaping import markdown
from files import SCRATCH, sync, write_whole
from runs.failures import write_errors
from runs.folder import CHECKPOINTS, MATRIX, SUMMARY, plain_name
from runs.history import METRICS, Evaluation
from runs.profiling import remove_profiles
from runs.session import write_start, write_success
from settings import Settings

# TensorBoard lags behind by this much at most, in milliseconds.
FLUSH_MILLIS = 5_000
# The path of an event file in a run's folder, as this program writes it for a curve.
EVENT_FILE = re.compile(
    r"(train|test)(_task_\d+_[^/]{1,200})?/events\.out\.tfevents\.\d{1,10}\.[^/]{1,200}", re.ASCII
)
NUMBER = re.compile(r"(?<=^events\.out\.tfevents\.)\d{1,10}", re.ASCII)
# The name of the curve, without any point, whose event file is in the run's folder itself: for
# TensorBoard's HParams that makes a session of the run, and the other curves its metrics.
SESSION = ""
# Writes that may be pending, lest they fill the memory where steps are faster than the disk.
MAX_PENDING = 100


def event_files(folder: Path) -> list[Path]:
    """Returns TensorBoard's files of all curves of a run."""
    found = folder.glob("t*/events.out.tfevents.*")
    return sorted(
        path
        for path in found
        if EVENT_FILE.fullmatch(str(path.relative_to(folder))) and path.is_file()
    )


def session_files(folder: Path) -> list[Path]:
    """Returns TensorBoard's files in a run's folder itself."""
    return [path for path in folder.glob("events.out.tfevents.*") if path.is_file()]


def truncate(
    folder: Path, step: int, lengths: dict[str, int], history: Sequence[Evaluation]
) -> None:
    """Cuts a run's log back to its state when a checkpoint was saved.

    Args:
        folder: the run's.
        step: the number of steps done then.
        lengths: the bytes that each event file had then, by its path in the folder.
        history: the evaluations until then.
    """
    for path in session_files(folder):
        path.unlink()
    for path in event_files(folder):
        length = lengths.get(str(path.relative_to(folder)))
        if length is None:
            path.unlink()
        elif path.stat().st_size > length:
            shorten(path, length)
    for name, length in lengths.items():
        path = folder / name
        if not path.exists() or path.stat().st_size < length:
            print_note(f"{path} has lost some of its points; TensorBoard lacks them")
    for parent in (folder, folder / CHECKPOINTS):
        for path in parent.glob(f"{SCRATCH}*"):  # of a process that was killed
            if path.is_file():
                path.unlink()
    remove_profiles(folder / "train", since=step)
    write_whole(folder / METRICS, "".join(evaluation.line for evaluation in history))
    for name in (SUMMARY, MATRIX):
        (folder / name).unlink(missing_ok=True)


def check_not_begun(folder: Path) -> None:
    """Refuses a run's folder that holds a log and no checkpoint: the log would be lost.

    A run saves a checkpoint before it logs anything.

    Raises:
        RequestError: it holds a log.
    """
    logged = [*event_files(folder), *(folder / name for name in (METRICS, SUMMARY))]
    if any(path.exists() and path.stat().st_size for path in logged):
        raise RequestError(
            f"{folder} has no checkpoint to resume from, and was trained; copy it with its "
            "checkpoints/, or start the run again"
        )


def shorten(path: Path, length: int) -> None:
    """Cuts a file to a length in bytes, but not a copy of it that is a hard link."""
    if path.stat().st_nlink > 1:
        write_whole(path, path.read_bytes()[:length])
    else:
        os.truncate(path, length)


def number_of(event_file: Path) -> int:
    """Returns the number in the name of an event file, by which TensorBoard orders a curve's.

    TensorFlow takes the time, in seconds.
    """
    found = NUMBER.search(event_file.name)
    return int(found[0]) if found else 0


class RunLog:
    """Writes the log in a run's folder.

    Each curve has a folder of its own, so that TensorBoard overlays the curves of one quantity, of
    one tag, in one chart. A thread writes, in order, while the training goes on; a later call
    raises its errors.
    """

    def __init__(self, folder: Path, task_names: Sequence[str]) -> None:
        self.folder = folder
        self.curves = [f"task_{i}_{plain_name(name)}" for i, name in enumerate(task_names)]
        names = [
            SESSION,
            "train",
            "test",
            *(f"{kind}_{c}" for kind in ("train", "test") for c in self.curves),
        ]
        before = {*event_files(folder), *session_files(folder)}
        self.writers = {
            name: tf.summary.create_file_writer(str(folder / name), flush_millis=FLUSH_MILLIS)
            for name in names
        }
        # In the order of the steps, whatever the clock was when the run was started and resumed.
        number = max([int(time.time()), *(number_of(path) + 1 for path in before)])
        # TensorFlow's writers do not notice that their file was renamed or removed.
        self.files = {
            path.parent.name if path.parent != folder else SESSION: path.rename(
                path.with_name(NUMBER.sub(f"{number:010d}", path.name, count=1))
            )
            for path in (*event_files(folder), *session_files(folder))
            if path not in before
        }
        (folder / METRICS).touch()
        self.thread = ThreadPoolExecutor(max_workers=1)
        self.pending: deque[Future] = deque()

    def describe(self, settings: dict[str, object], graph: tf.compat.v1.GraphDef) -> None:
        """Writes the settings as text, and the network's graph."""
        rows = [f"| `{name}` | {markdown(str(value))} |" for name, value in settings.items()]
        table = "\n".join(["| setting | value |", "|---|---|", *rows])
        with self.curve("train", step=0):
            tf.summary.text("settings", table)
            tf.summary.graph(graph)

    def begin_session(self, settings: Settings) -> None:
        """Writes the settings for TensorBoard's HParams."""
        with self.curve(SESSION, step=0):
            write_start(settings)

    def end_session(self) -> None:
        """Writes, after all else, that the run has ended with success."""
        self.sync()
        with self.curve(SESSION, step=0):
            write_success()

    def submit(self, write: Callable[..., None], *arguments: object) -> None:
        """Queues a write for the thread, and raises the error of an earlier one."""
        while self.pending and (self.pending[0].done() or len(self.pending) == MAX_PENDING):
            self.pending.popleft().result()
        self.pending.append(self.thread.submit(write, *arguments))

    def finish(self) -> None:
        """Waits for all queued writes, and raises the error of one."""
        while self.pending:
            self.pending.popleft().result()

    def sync(self) -> dict[str, int]:
        """Waits until all is on the disk.

        Returns:
            The bytes of each event file, by its path in the folder.
        """
        self.finish()
        with write_errors(self.folder / METRICS, self.folder):
            sync(self.folder / METRICS)
        for curve, writer in self.writers.items():
            with write_errors(self.files[curve], self.folder):
                self.files[curve].stat()
                writer.flush()
        lengths = {}
        for path in event_files(self.folder):
            with write_errors(path, self.folder):
                sync(path)
                lengths[str(path.relative_to(self.folder))] = path.stat().st_size
        return lengths

    @contextmanager
    def curve(self, name: str, step: int) -> Iterator[None]:
        """Directs the summaries made inside to the event file of a curve.

        Raises:
            RunError: the file cannot be written.
        """
        with write_errors(self.files[name], self.folder):
            self.files[name].stat()
            # As NumPy's integer: TensorFlow caches every Python number that it has seen.
            with self.writers[name].as_default(step=np.int64(step)):
                yield

    def scalars(self, curve: str, step: int, values: dict[str, float]) -> None:
        """Queues a point for each of the tags of one curve."""
        self.submit(self._write_scalars, curve, step, values)

    def _write_scalars(self, curve: str, step: int, values: dict[str, float]) -> None:
        """Writes a point for each of the tags of one curve.

        As one event, which takes a quarter of the time that TensorFlow's own function takes.
        """
        event = Summary()
        for tag, value in values.items():
            event.MergeFrom(scalar_pb(tag, np.float32(value)))
        with self.curve(curve, step):
            tf.summary.experimental.write_raw_pb(event.SerializeToString())

    def evaluation(self, evaluation: Evaluation) -> None:
        """Queues an evaluation for `metrics.jsonl` and for the curves of the test sets."""
        self.submit(self._write_metrics, evaluation.line)
        step = evaluation.step
        self.scalars("test", step, {"accuracy/test": evaluation.mean_accuracy})
        tasks = zip(self.curves, evaluation.accuracy, evaluation.loss, strict=True)
        for curve, accuracy, loss in tasks:
            values = {"accuracy/test": accuracy, "loss/test": loss}
            self.scalars(f"test_{curve}", step, values)

    def _write_metrics(self, line: str) -> None:
        """Appends a line to `metrics.jsonl`, which must exist."""
        path = self.folder / METRICS
        with write_errors(path, self.folder), path.open("r+b") as file:
            file.seek(0, os.SEEK_END)
            file.write(line.encode())

    def picture(
        self, curve: str, step: int, tag: str, draw: Callable[..., np.ndarray], *arguments: object
    ) -> None:
        """Queues a picture, [H, W, 3] uint8, which the thread draws."""
        self.submit(self._write_picture, curve, step, tag, draw, *arguments)

    def _write_picture(
        self, curve: str, step: int, tag: str, draw: Callable[..., np.ndarray], *arguments: object
    ) -> None:
        """Draws and writes a picture."""
        pixels = draw(*arguments)[np.newaxis]
        with self.curve(curve, step):
            tf.summary.image(tag, pixels)

    def mixing(self, unit: str, step: int, mixing: np.ndarray) -> None:
        """Queues the weights of a cross-stitch unit, [T, T, C] float32 for T tasks.

        They become two curves: a column's weights of its own channels, and of the others'.
        """
        self.submit(self._write_mixing, unit, step, mixing)

    def _write_mixing(self, unit: str, step: int, mixing: np.ndarray) -> None:
        """Writes the weights of a cross-stitch unit."""
        diagonal = np.eye(len(mixing), dtype=bool)
        with self.curve("train", step):
            for kind, weights in (("own", mixing[diagonal]), ("others", mixing[~diagonal])):
                if weights.size:
                    tf.summary.scalar(f"cross_stitch/{unit}/{kind}_mean", weights.mean())
                    tf.summary.histogram(f"cross_stitch/{unit}/{kind}", weights)

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, *exception: object) -> None:
        """Flushes and closes every file, whatever fails."""
        failed = exception[0] is not None
        # The first failure is the one to report.
        with suppress(Exception) if failed else nullcontext(), ExitStack() as closing:
            for curve in self.writers:
                closing.callback(self.close, curve)
            self.thread.shutdown()
            if not failed:
                self.finish()

    def close(self, curve: str) -> None:
        """Flushes and closes the event file of a curve."""
        with write_errors(self.files[curve], self.folder):
            self.writers[curve].close()
