"""The run's folder: event files for TensorBoard, the metrics file, and what the run was."""

import argparse
import itertools
import json
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import tensorflow as tf

from errors import RequestError, RunError
from files import write_json

# TensorBoard sees what happened at most this long ago, in milliseconds.
FLUSH_MILLIS = 5_000
# Writings that may wait at a time, lest they fill the memory where steps are faster than the disk.
MOST_WAITING = 100
# File systems take names of 255 bytes, and a path is made of several.
LONGEST_NAME = 120


def create_run_folder(settings: argparse.Namespace) -> Path:
    """A new folder for a run, named by the axes on which runs differ, and by the time.

    Raises:
        RequestError: it cannot be made.
    """
    cycle = settings.schedule == "cycle"
    parent = Path(
        settings.log_dir,
        *(["fake"] if settings.fake_data else []),
        "t_" + name_of_tasks(settings.tasks),
        settings.input_style,
        settings.optimizer,
        "n_" + "_".join([*settings.network, *(["multi"] if settings.heads == "multi" else [])]),
        f"tt{settings.task_time}" if cycle else settings.schedule,
    )
    name = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for attempt in itertools.count(1):
            folder = parent / (name if attempt == 1 else f"{name}_{attempt}")
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                continue  # another run began in the same second
    except OSError as error:
        raise RequestError(
            f"--log-dir: the run's folder {parent} cannot be made ({error.strerror}); "
            "name a folder that can be written"
        ) from error


def name_of_tasks(names: list[str]) -> str:
    """The tasks in a folder's name: the first and how many more, where it would be too long."""
    joined = "_".join(map(plain_name, names))
    if len(joined.encode()) <= LONGEST_NAME:
        return joined
    return f"{plain_name(names[0])}_and_{len(names) - 1}_more"


def plain_name(task: str) -> str:
    """The task's name without the colon, which not all file systems take."""
    return task.replace(":", "-")


@contextmanager
def told_in_a_line(when: Callable[[], str]) -> Iterator[None]:
    """Turns what TensorFlow could not do, such as write to a full disk, into a line.

    Raises:
        RunError: it could not; the message says when and why.
    """
    try:
        yield
    except (tf.errors.OpError, MemoryError, OSError) as error:
        reason = str(error).partition("\n")[0] or "out of memory"
        raise RunError(f"{when()}: {reason}") from error


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
        self.writers = {
            name: tf.summary.create_file_writer(str(folder / name), flush_millis=FLUSH_MILLIS)
            for name in names
        }
        self.metrics = (folder / "metrics.jsonl").open("a", encoding="utf-8")
        self.thread = ThreadPoolExecutor(max_workers=1)
        self.writing: deque[Future] = deque()

    def describe(self, config: dict, graph: tf.Graph) -> None:
        """Writes what the run is: `config.json`, its settings as text, and the network's graph."""
        write_json(self.folder / "config.json", config)
        rows = [f"| `{name}` | {value} |" for name, value in config["settings"].items()]
        table = "\n".join(["| setting | value |", "|---|---|", *rows])
        with self.writers["train"].as_default():
            tf.summary.text("settings", table, step=0)
            tf.summary.graph(graph)

    def later(self, write: Callable[..., None], *arguments: object) -> None:
        """Leaves it to the thread to write, and raises what that failed with before."""
        while self.writing and (self.writing[0].done() or len(self.writing) == MOST_WAITING):
            self.writing.popleft().result()
        self.writing.append(self.thread.submit(write, *arguments))

    def finish(self) -> None:
        """Waits until all is written that is to be, and raises what that failed with."""
        while self.writing:
            self.writing.popleft().result()

    def scalars(self, curve: str, step: int, values: dict[str, float]) -> None:
        """Adds a point to each of the tags of one curve's folder."""
        self.later(self._write_scalars, curve, step, values)

    def _write_scalars(self, curve: str, step: int, values: dict[str, float]) -> None:
        """Does so."""
        # NumPy's numbers, since TensorFlow keeps every number of Python's that it has seen.
        with self.writers[curve].as_default(step=np.int64(step)):
            for tag, value in values.items():
                tf.summary.scalar(tag, np.float32(value))

    def test(self, test: dict) -> None:
        """Writes a test, a line of `metrics.jsonl`, to its curves and to that file."""
        step = test["step"]
        self.scalars("test", step, {"accuracy": test["mean_accuracy"]})
        for curve, accuracy, loss in zip(self.curves, test["accuracy"], test["loss"], strict=True):
            self.scalars(f"test_{curve}", step, {"accuracy": accuracy, "loss": loss})
        self.later(self._write_metrics, json.dumps(test, allow_nan=False) + "\n")

    def _write_metrics(self, line: str) -> None:
        """Adds a line to the file."""
        self.metrics.write(line)
        self.metrics.flush()

    def mixing(self, unit: str, step: int, mixing: np.ndarray) -> None:
        """Writes a cross-stitch unit's weights, [T, T, C] float32 for T tasks.

        They are told in two: how much each column keeps of its own, and takes of the others.
        """
        self.later(self._write_mixing, unit, step, mixing)

    def _write_mixing(self, unit: str, step: int, mixing: np.ndarray) -> None:
        """Does so."""
        diagonal = np.eye(len(mixing), dtype=bool)
        with self.writers["train"].as_default(step=np.int64(step)):
            for kind, weights in (("own", mixing[diagonal]), ("others", mixing[~diagonal])):
                if weights.size:
                    tf.summary.scalar(f"cross_stitch/{unit}/{kind}_mean", weights.mean())
                    tf.summary.histogram(f"cross_stitch/{unit}/{kind}", weights)

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, *exception: object) -> None:
        """Writes out what is still in memory, and closes every file, whatever fails."""
        with ExitStack() as closing:
            for file in (self.metrics, *self.writers.values()):
                closing.callback(file.close)
            self.thread.shutdown()
            if exception[0] is None:
                self.finish()
