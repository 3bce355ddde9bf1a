"""Profiles of chunks of steps, for TensorBoard's profile page."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

# The folder that TensorFlow writes profiles to, and their names here.
PROFILES = Path("plugins", "profile")
NAME = "step_"
# A profile, and one that TensorFlow, which names it by the time, did not finish.
OURS = re.compile(rf"{NAME}(\d+)|\d{{4}}(?:_\d\d){{5}}", re.ASCII)


@contextmanager
def profile(folder: Path, step: int) -> Iterator[None]:
    """Profiles what runs inside, into `folder/plugins/profile/step_<step>/<host>.xplane.pb`."""
    profiles = folder / PROFILES
    before = set(profiles.glob("*"))
    with tf.profiler.experimental.Profile(str(folder)):
        yield
    (written,) = set(profiles.glob("*")) - before
    # TensorFlow names the folder by the second, which two profiles may share.
    written.rename(profiles / f"{NAME}{step}")


def remove_profiles(folder: Path, since: int) -> None:
    """Removes the profiles of chunks that began at step `since` or later, and incomplete ones."""
    for path in (folder / PROFILES).glob("*"):
        match = OURS.fullmatch(path.name)
        if match and path.is_dir() and (match[1] is None or int(match[1]) >= since):
            shutil.rmtree(path)
