"""What is saved of a run: the network, the optimiser, and how far the run had come."""

import json
import re
import shutil
import sys
from pathlib import Path

import keras
import tensorflow as tf

from errors import RequestError
from files import sync
from model import Network

FOLDER = "checkpoints"
NAME = "ckpt"
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
        self.manager: tf.train.CheckpointManager | None = None

    def save(self, step: int, state: dict) -> None:
        """Saves the network and the optimiser after so many steps, and the state beside them."""
        self.progress.state = state
        if self.manager is None:  # not before `restore`, whose outcome it reads from the folder
            self.manager = tf.train.CheckpointManager(
                self.checkpoint, str(self.folder), max_to_keep=KEPT, checkpoint_name=NAME
            )
        self.manager.save(checkpoint_number=step)
        for path in (*self.folder.iterdir(), self.folder):
            sync(path)

    def restore(self) -> dict | None:
        """Restores the last checkpoint that is sound, and removes what no longer counts.

        Returns:
            The state that was saved with it; None where nothing has been saved.

        Raises:
            RequestError: all that was saved is damaged.
        """
        restored = restore_last(self.run, self.checkpoint)
        kept = [] if restored is None else [p for p in saved_in(self.run) if is_until(p, restored)]
        if self.folder.is_dir():
            self.tidy(kept)
        return None if restored is None else self.progress.state

    def tidy(self, kept: list[Path]) -> None:
        """Leaves these checkpoints alone, the last first, and TensorFlow's list of them.

        What else there is was damaged, or is of a save that was cut short. The list is written
        anew, since TensorFlow in time deletes whatever stands in it.
        """
        names = [path.name for path in kept]
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif not any(path.name.startswith(f"{name}.") for name in names):
                path.unlink()
        if names:
            dates = [path.with_name(f"{path.name}.index").stat().st_mtime for path in kept]
            tf.compat.v1.train.update_checkpoint_state(
                str(self.folder.resolve()),
                names[0],
                all_model_checkpoint_paths=names[::-1],
                all_model_checkpoint_timestamps=dates[::-1],
            )


def saved_in(run: Path) -> list[Path]:
    """The checkpoints in a run's folder, without the suffixes of their files, the last first."""
    folder = run / FOLDER
    names = [path.name for path in folder.glob("*.index") if path.is_file()]
    found = [re.fullmatch(rf"({NAME}-(\d+))\.index", name, re.ASCII) for name in names]
    steps = {int(match[2]): match[1] for match in found if match}
    return [folder / steps[step] for step in sorted(steps, reverse=True)]


def is_until(path: Path, last: Path) -> bool:
    """Whether the checkpoint is the last one, or was saved before it."""
    return int(path.name.rpartition("-")[2]) <= int(last.name.rpartition("-")[2])


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
            status = checkpoint.restore(str(path))
            status.expect_partial().assert_existing_objects_matched()
        except Exception as error:  # on damaged files TensorFlow raises nearly anything
            damage.append(f"{path} ({' '.join(str(error).split())[:120]})")
            continue
        if damage:
            print(f"note: {', '.join(damage)} is damaged; {path} is used", file=sys.stderr)
        return path
    if found:
        raise RequestError(
            f"{', '.join(damage)}: damaged, or not of the network that {run / 'config.json'} "
            "describes; start the run again"
        )
    return None
