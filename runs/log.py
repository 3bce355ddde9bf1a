"""What is written of a run: event files for TensorBoard, and the metrics file."""

import json
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path

import numpy as np
import tensorflow as tf

from errors import RunError
from runs.files import sync, write_whole
from runs.folder import SUMMARY, plain_name, resume_command
from runs.profiling import remove_profiles

# TensorBoard sees what happened at most this long ago, in milliseconds.
FLUSH_MILLIS = 5_000
# Writings that may wait at a time, lest they fill the memory where steps are faster than the disk.
MOST_WAITING = 100
METRICS = "metrics.jsonl"


@contextmanager
def told_in_a_line(when: Callable[[], str]) -> Iterator[None]:
    """Turns what TensorFlow or the system could not do, such as find enough memory, into a line.

    Raises:
        RunError: it could not; the message says when and why.
    """
    try:
        yield
    except (tf.errors.OpError, MemoryError, OSError) as error:
        raise RunError(f"{when()}: {reason_of(error)}") from error


@contextmanager
def writing(path: Path, run: Path) -> Iterator[None]:
    """Turns what keeps a file of a run's from being written into a line.

    Raises:
        RunError: it was not written; the message says what to do.
    """
    try:
        yield
    except (tf.errors.OpError, OSError) as error:
        raise RunError(
            f"{path} cannot be written ({reason_of(error)}); make room for it, or make it writable "
            f"again, and go on from what was saved with: {resume_command(run)}"
        ) from error


def reason_of(error: Exception) -> str:
    """Why something failed, without what TensorFlow says of its own insides and of the file."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    first_line = str(error).partition("\n")[0]
    return re.sub(r"^(\{\{.*\}\} )?(/.*; )?| \[Op:\w+\]$", "", first_line) or "out of memory"


def event_files(folder: Path) -> list[Path]:
    """TensorBoard's files of all curves of a run."""
    return sorted(folder.glob("*/events.out.tfevents.*"))


def cut_back(folder: Path, step: int, lengths: dict[str, int], history: list[dict]) -> None:
    """Leaves of a run's log what was there when it was saved after so many steps.

    Args:
        folder: the run's.
        step: how many steps were done.
        lengths: of each event file, in bytes, by its path in the folder.
        history: the tests, as `metrics.jsonl` has them.
    """
    for path in event_files(folder):
        length = lengths.get(str(path.relative_to(folder)))
        if length is None:
            path.unlink()
        elif path.stat().st_size > length:
            os.truncate(path, length)
    for name, length in lengths.items():
        path = folder / name
        if not path.exists() or path.stat().st_size < length:
            print(
                f"note: {path} has lost some of its points; TensorBoard lacks them", file=sys.stderr
            )
    remove_profiles(folder / "train", since=step)
    write_whole(folder / METRICS, "".join(map(metrics_line, history)))
    (folder / SUMMARY).unlink(missing_ok=True)


def metrics_line(test: dict) -> str:
    """A test as a line of `metrics.jsonl`."""
    return json.dumps(test, allow_nan=False) + "\n"


class RunLog:
    """Writes a run's folder.

    There is a folder in it for each curve, so that TensorBoard lays the curves of one quantity over
    each other in one chart, under the same tag. What is said of the training is written by a thread
    of its own, in the order in which it is said, while the training goes on; if that fails, a later
    call raises it.
    """

    def __init__(self, folder: Path, task_names: list[str]) -> None:
        self.folder = folder
        self.curves = [f"task_{i}_{plain_name(name)}" for i, name in enumerate(task_names)]
        names = [
            "train",
            "test",
            *(f"{kind}_{c}" for kind in ("train", "test") for c in self.curves),
        ]
        before = set(event_files(folder))
        self.writers = {
            name: tf.summary.create_file_writer(str(folder / name), flush_millis=FLUSH_MILLIS)
            for name in names
        }
        # TensorFlow's writers do not notice when their file is removed.
        self.files = {path.parent.name: path for path in event_files(folder) if path not in before}
        (folder / METRICS).touch()
        self.thread = ThreadPoolExecutor(max_workers=1)
        self.waiting: deque[Future] = deque()

    def describe(self, settings: dict, graph: tf.Graph) -> None:
        """Writes what the run is: its settings as text, and the network's graph."""
        rows = [f"| `{name}` | {value} |" for name, value in settings.items()]
        table = "\n".join(["| setting | value |", "|---|---|", *rows])
        with self.curve("train", step=0):
            tf.summary.text("settings", table)
            tf.summary.graph(graph)

    def later(self, write: Callable[..., None], *arguments: object) -> None:
        """Leaves it to the thread to write, and raises what that failed with before."""
        while self.waiting and (self.waiting[0].done() or len(self.waiting) == MOST_WAITING):
            self.waiting.popleft().result()
        self.waiting.append(self.thread.submit(write, *arguments))

    def finish(self) -> None:
        """Waits until all is written that is to be, and raises what that failed with."""
        while self.waiting:
            self.waiting.popleft().result()

    def sync(self) -> dict[str, int]:
        """Waits until all is on the disk; how many bytes each event file has, by its path there."""
        self.finish()
        with writing(self.folder / METRICS, self.folder):
            sync(self.folder / METRICS)
        for curve, writer in self.writers.items():
            with writing(self.files[curve], self.folder):
                self.files[curve].stat()
                writer.flush()
        lengths = {}
        for path in event_files(self.folder):
            with writing(path, self.folder):
                sync(path)
                lengths[str(path.relative_to(self.folder))] = path.stat().st_size
        return lengths

    @contextmanager
    def curve(self, name: str, step: int) -> Iterator[None]:
        """Lets what is summarised inside go to a curve's event file.

        Raises:
            RunError: it cannot be written.
        """
        with writing(self.files[name], self.folder):
            self.files[name].stat()
            # NumPy's numbers, since TensorFlow keeps every number of Python's that it has seen.
            with self.writers[name].as_default(step=np.int64(step)):
                yield

    def scalars(self, curve: str, step: int, values: dict[str, float]) -> None:
        """Adds a point to each of the tags of one curve's folder."""
        self.later(self._write_scalars, curve, step, values)

    def _write_scalars(self, curve: str, step: int, values: dict[str, float]) -> None:
        """Does so."""
        with self.curve(curve, step):
            for tag, value in values.items():
                tf.summary.scalar(tag, np.float32(value))

    def test(self, test: dict) -> None:
        """Writes a test, a line of `metrics.jsonl`, to that file and to its curves."""
        self.later(self._write_metrics, metrics_line(test))
        step = test["step"]
        self.scalars("test", step, {"accuracy": test["mean_accuracy"]})
        for curve, accuracy, loss in zip(self.curves, test["accuracy"], test["loss"], strict=True):
            self.scalars(f"test_{curve}", step, {"accuracy": accuracy, "loss": loss})

    def _write_metrics(self, line: str) -> None:
        """Adds a line to the file, which must be there."""
        path = self.folder / METRICS
        with writing(path, self.folder), path.open("r+b") as file:
            file.seek(0, os.SEEK_END)
            file.write(line.encode())

    def mixing(self, unit: str, step: int, mixing: np.ndarray) -> None:
        """Writes a cross-stitch unit's weights, [T, T, C] float32 for T tasks.

        They are told in two: how much each column keeps of its own, and takes of the others.
        """
        self.later(self._write_mixing, unit, step, mixing)

    def _write_mixing(self, unit: str, step: int, mixing: np.ndarray) -> None:
        """Does so."""
        diagonal = np.eye(len(mixing), dtype=bool)
        with self.curve("train", step):
            for kind, weights in (("own", mixing[diagonal]), ("others", mixing[~diagonal])):
                if weights.size:
                    tf.summary.scalar(f"cross_stitch/{unit}/{kind}_mean", weights.mean())
                    tf.summary.histogram(f"cross_stitch/{unit}/{kind}", weights)

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, *exception: object) -> None:
        """Writes out what is still in memory, and closes every file, whatever fails."""
        failed = exception[0] is not None
        # What failed first is what is told.
        with suppress(Exception) if failed else nullcontext(), ExitStack() as closing:
            for curve in self.writers:
                closing.callback(self.close, curve)
            self.thread.shutdown()
            if not failed:
                self.finish()

    def close(self, curve: str) -> None:
        """Writes out and closes a curve's event file."""
        with writing(self.files[curve], self.folder):
            self.writers[curve].close()
