"""What is saved of a run: the network, the optimiser, and how far the run had come."""

import json
import re
import shutil
import sys
from pathlib import Path

import keras
import tensorflow as tf

from errors import RequestError
from model import Network
from runs.config import CONFIG
from runs.files import sync, write_whole

FOLDER = "checkpoints"
NAME = "ckpt"
SCRATCH = ".saving"
LIST = "checkpoint"  # where tf.train.latest_checkpoint looks
# What keeps a sound checkpoint from being read.
NOT_DAMAGE = (MemoryError, tf.errors.ResourceExhaustedError, tf.errors.PermissionDeniedError)
# So many are kept: the one before stands in for the last one if that is damaged.
KEPT = 2


class Progress(tf.train.experimental.PythonState):
    """How far a run had come, as JSON inside its checkpoint."""

    def __init__(self) -> None:
        self.state: dict = {}

    def serialize(self) -> str:
        """The state as text; TensorFlow calls this when it saves."""
        return json.dumps(self.state)

    def deserialize(self, text: str) -> None:
        """Takes the state from text; TensorFlow calls this when it restores."""
        self.state = json.loads(text)


class Checkpoints:
    """The last checkpoints of a run, in its folder."""

    def __init__(self, run: Path, network: Network, optimizer: keras.optimizers.Optimizer) -> None:
        self.run, self.folder = run, run / FOLDER
        self.progress = Progress()
        self.checkpoint = tf.train.Checkpoint(
            trunk=network.trunk, heads=network.heads, optimizer=optimizer, progress=self.progress
        )

    def save(self, step: int, state: dict) -> None:
        """Saves the network and the optimiser after so many steps, and the state beside them.

        Whole or not at all: a checkpoint is there once its index has its name, which comes last,
        and those before it are removed after that. (TensorFlow's own manager writes the index in
        its place, and takes a [ in the folder's name for a pattern.)
        """
        self.progress.state = state
        self.folder.mkdir(exist_ok=True)
        self.checkpoint.write(str(self.folder / SCRATCH))
        for path in sorted(self.folder.glob(f"{SCRATCH}.*")):  # the data, and then the index
            sync(path)
            path.rename(self.folder / f"{NAME}-{step}{path.name.removeprefix(SCRATCH)}")
        for folder in (self.folder, self.run):
            sync(folder)
        self.tidy(saved_in(self.run)[:KEPT])

    def restore(self) -> dict | None:
        """Restores the last checkpoint that is sound, and removes what no longer counts.

        Returns:
            The state that was saved with it; None where nothing has been saved.

        Raises:
            RequestError: all that was saved is damaged.
        """
        restored = restore_last(self.run, self.checkpoint)
        if restored is None:
            return None
        saved = saved_in(self.run)
        self.tidy(saved[saved.index(restored) :])
        return self.progress.state

    def tidy(self, kept: list[Path]) -> None:
        """Leaves these checkpoints alone, the last first, and TensorFlow's list of them.

        The others are older, or damaged, or of a save that was cut short.
        """
        names = [path.name for path in kept]
        for path in [*self.folder.glob(f"{NAME}-*"), *self.folder.glob(f"{SCRATCH}*")]:
            if path.is_dir():
                shutil.rmtree(path)
            elif not any(path.name.startswith(f"{name}.") for name in names):
                path.unlink()
        lines = [f'model_checkpoint_path: "{names[0]}"']
        lines += [f'all_model_checkpoint_paths: "{name}"' for name in reversed(names)]
        write_whole(self.folder / LIST, "\n".join(lines) + "\n")


def saved_in(run: Path) -> list[Path]:
    """The checkpoints in a run's folder, without the suffixes of their files, the last first."""
    folder = run / FOLDER
    names = [path.name for path in folder.glob("*.index") if path.is_file()]
    found = [re.fullmatch(rf"({NAME}-(\d+))\.index", name, re.ASCII) for name in names]
    steps = {int(match[2]): match[1] for match in found if match}
    return [folder / steps[step] for step in sorted(steps, reverse=True)]


def restore_last(run: Path, checkpoint: tf.train.Checkpoint) -> Path | None:
    """Restores the last checkpoint of a run's that is sound, and says which it was.

    Returns:
        Its path without its files' suffixes; None where nothing has been saved.

    Raises:
        RequestError: each is damaged, or not of the network that the checkpoint is of.
    """
    found = saved_in(run)
    damage = []
    for path in found:
        try:
            status = checkpoint.read(str(path))
            status.expect_partial().assert_existing_objects_matched()
        except NOT_DAMAGE:
            raise
        except Exception as error:  # on damaged files TensorFlow raises nearly anything
            damage.append(f"{path} ({' '.join(str(error).split())[:120]})")
            continue
        if damage:
            print(f"note: {', '.join(damage)} is damaged; {path} is used", file=sys.stderr)
        return path
    if found:
        raise RequestError(
            f"{', '.join(damage)}: damaged, or not of the network that {run / CONFIG} "
            "describes; start the run again"
        )
    return None
