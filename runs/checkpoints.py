"""A run's checkpoints: the network, the optimizer, and the progress of the run."""

import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from command import print_note
from errors import RequestError
from files import current_folder, sync, write_whole
from model import Network
from runs.config import CONFIG
from runs.folder import CHECKPOINTS
from runs.history import Evaluation, Tally, read_evaluations
from runs.log import EVENT_FILE

NAME = "ckpt"
SCRATCH = ".saving"
# The files of checkpoints, and what TensorFlow leaves of one that it was writing.
OURS = re.compile(rf"({NAME}-\d+|\{SCRATCH})(\.index|\.data-\d+-of-\d+|_temp\w*)", re.ASCII)
LIST = "checkpoint"  # where tf.train.latest_checkpoint looks
# Failures to read a checkpoint that do not mean that it is damaged.
NOT_DAMAGE = (OSError, MemoryError, tf.errors.ResourceExhaustedError, RequestError)
# The last checkpoint, and the one before, which replaces it if it is damaged.
KEPT = 2


@dataclass(frozen=True)
class Progress:
    """The state of a run that is not in its network or optimizer."""

    step: int = 0  # the number of steps done
    settings: dict[str, Any] = field(default_factory=dict)  # those that stay the same
    history: Sequence[Evaluation] = ()
    # Of each task's training steps since the last point of the training curves, by its index.
    tallies: dict[int, Tally] = field(default_factory=dict)
    log: dict[str, int] = field(default_factory=dict)  # as `RunLog.sync` returns it

    def to_json(self) -> dict[str, Any]:
        """Returns the progress as JSON can hold it."""
        return {
            "step": self.step,
            "settings": self.settings,
            "history": [evaluation.to_json() for evaluation in self.history],
            "tallies": {index: asdict(tally) for index, tally in self.tallies.items()},
            "log": self.log,
        }

    @classmethod
    def from_json(cls, stored: object) -> "Progress":
        """Reads what `to_json` returned.

        Raises:
            ValueError: it is not the progress of a run.
        """
        try:
            step, settings, log = stored["step"], stored["settings"], stored["log"]
            tasks = len(settings["tasks"])
            tallies = {
                int(index): Tally.from_json(tally) for index, tally in stored["tallies"].items()
            }
            history = read_evaluations(stored["history"], tasks)
            positions = {step, *log.values()}
            named = all(EVENT_FILE.fullmatch(name) for name in log)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"its progress is damaged ({error!r})") from error
        if not all(type(position) is int and position >= 0 for position in positions):
            raise ValueError("its progress has a step or a length that is no whole number")
        evaluated = [evaluation.step for evaluation in history]
        evaluated_so_far = evaluated[:1] == [0] and evaluated[-1] <= step if step else not evaluated
        if not (evaluated_so_far and named and tallies.keys() <= {*range(tasks)}):
            raise ValueError(f"its progress is not that of {step} steps on {tasks} tasks")
        return cls(step, settings, history, tallies, log)


class ProgressState(tf.train.experimental.PythonState):
    """The progress as JSON inside TensorFlow's checkpoint, under its checksum."""

    def __init__(self) -> None:
        self.progress = Progress()

    def serialize(self) -> str:
        """Returns the progress as text; TensorFlow calls this when it saves."""
        return json.dumps(self.progress.to_json())

    def deserialize(self, text: str) -> None:
        """Sets the progress from text; TensorFlow calls this when it restores.

        Raises:
            ValueError: it is not the progress of a run.
        """
        self.progress = Progress.from_json(json.loads(text))


class Checkpoints:
    """The last checkpoints of a run, in its folder."""

    def __init__(
        self,
        run: Path,
        network: Network,
        optimizer: keras.optimizers.Optimizer,
        scales: Sequence[tf.Tensor] = (),
    ) -> None:
        """Takes all that is saved.

        `scales` are those of `Problem.scales`. A resumed run, whose data is checked, computes them
        again; they are saved for evaluations on other data.
        """
        self.run, self.folder = run, run / CHECKPOINTS
        self.state = ProgressState()
        state = {"optimizer": optimizer, "progress": self.state}
        network_parts = {"trunk": network.trunk, "heads": network.heads}
        self.restored = tf.train.Checkpoint(**network_parts, **state)
        self.saved = tf.train.Checkpoint(
            **network_parts, **state, scales=[*map(tf.Variable, scales)]
        )

    def save(self, progress: Progress) -> None:
        """Saves the network, the optimizer and the progress, whole or not at all.

        A checkpoint exists once its index has its name, which comes last; older ones are removed
        after that. (TensorFlow's own manager writes the index in its place.)
        """
        self.state.progress = progress
        self.folder.mkdir(exist_ok=True)
        self.saved.write(str(self.folder / SCRATCH))
        for path in sorted(self.folder.glob(f"{SCRATCH}.*")):  # the data, and then the index
            sync(path)
            name = f"{NAME}-{progress.step}{path.name.removeprefix(SCRATCH)}"
            path.rename(self.folder / name)
        for folder in (self.folder, self.run):
            sync(folder)
        self.tidy(saved_in(self.run)[:KEPT])

    def restore(self) -> Progress | None:
        """Restores the last sound checkpoint, and removes those that it makes obsolete.

        Returns:
            The progress that was saved with it; None where there is no checkpoint.

        Raises:
            RequestError: all checkpoints are damaged.
        """
        restored = restore_last(self.run, self.restored)
        if restored is None:
            return None
        saved = saved_in(self.run)
        self.tidy(saved[saved.index(restored) :])
        return self.state.progress

    def tidy(self, kept: list[Path]) -> None:
        """Removes all but these checkpoints, the last first, and writes TensorFlow's list of them.

        The others are older, or damaged, or of a save that was interrupted.
        """
        names = [path.name for path in kept]
        for path in filter(lambda path: OURS.fullmatch(path.name), self.folder.iterdir()):
            if path.is_dir():
                shutil.rmtree(path)
            elif not any(path.name.startswith(f"{name}.") for name in names):
                path.unlink()
        lines = [f'model_checkpoint_path: "{names[0]}"']
        lines += [f'all_model_checkpoint_paths: "{name}"' for name in reversed(names)]
        write_whole(self.folder / LIST, "\n".join(lines) + "\n")


def saved_in(run: Path) -> list[Path]:
    """Returns a run's checkpoints, without the suffixes of their files, the last first.

    Raises:
        RequestError: their folder cannot be read.
    """
    folder = run / CHECKPOINTS
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.is_file()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RequestError(f"{folder} cannot be read ({error.strerror})") from error
    found = [re.fullmatch(rf"({NAME}-(\d+))\.index", name, re.ASCII) for name in names]
    steps = {int(match[2]): match[1] for match in found if match}
    return [folder / steps[step] for step in sorted(steps, reverse=True)]


def restore_last(
    run: Path, checkpoint: tf.train.Checkpoint, optional: tf.train.Checkpoint | None = None
) -> Path | None:
    """Restores the last sound checkpoint of a run.

    Args:
        optional: what is restored as well, but may be missing.

    Returns:
        Its path without its files' suffixes; None where there is no checkpoint.

    Raises:
        RequestError: each is damaged, or not of the network that the checkpoint is of.
    """
    found, damage = saved_in(run), []
    for path in found:
        try:
            read(path, checkpoint, optional)
        except NOT_DAMAGE:
            raise
        except Exception as error:  # on damaged files TensorFlow raises nearly anything
            damage.append(f"{path} ({' '.join(str(error).split())[:120]})")
            continue
        if damage:
            print_note(f"{', '.join(damage)} is damaged; {path} is used")
        return path
    if saved_in(run) != found:  # the run goes on, and has replaced them meanwhile
        return restore_last(run, checkpoint, optional)
    if found:
        raise RequestError(
            f"{', '.join(damage)}: damaged, or not of the network that {run / CONFIG} "
            "describes; start the run again"
        )
    return None


def read(path: Path, checkpoint: tf.train.Checkpoint, optional: tf.train.Checkpoint | None) -> None:
    """Reads one checkpoint, as `restore_last` does.

    Raises:
        ValueError: a variable in it is not finite.
        RequestError: this user may not read it.
        Exception: it is damaged, or not of the network.
    """
    for file in path.parent.glob(f"{path.name}.*"):
        try:
            file.open("rb").close()
        except PermissionError as error:
            raise RequestError(f"{file} cannot be read ({error.strerror}); allow it") from error
        except IsADirectoryError:
            continue  # which is damage
    # TensorFlow takes the path of a checkpoint that it reads for a pattern, and so another meaning
    # for a [ or a backslash in it.
    with current_folder(path.parent):
        status = checkpoint.read(path.name)
        status.expect_partial().assert_existing_objects_matched()
        if optional is not None:
            optional.read(path.name).expect_partial()
    for part in (checkpoint.trunk, *checkpoint.heads):
        if not all(np.isfinite(variable.numpy()).all() for variable in part.variables):
            raise ValueError("it has weights that are not finite")
