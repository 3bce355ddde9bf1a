"""Profiles of a stretch of steps, for TensorBoard's profile page and for Chrome's trace viewer."""

import gzip
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import Message

# Where TensorFlow puts profiles in the folder that it is given, and what they are named here.
PROFILES = Path("plugins", "profile")
NAME = "step_"


@contextmanager
def profile(folder: Path, step: int) -> Iterator[None]:
    """Profiles what is done inside, into `folder/plugins/profile/step_<step>/`.

    TensorFlow writes `<host>.xplane.pb`, which TensorBoard's profile page reads. Chrome's trace
    viewer (chrome://tracing) reads the `<host>.trace.json.gz` that is put beside it.
    """
    profiles = folder / PROFILES
    before = set(profiles.glob("*"))
    with tf.profiler.experimental.Profile(str(folder)):
        yield
    (written,) = set(profiles.glob("*")) - before
    # TensorFlow names the folder by the second, of which the next profile may be too.
    target = written.rename(profiles / f"{NAME}{step}")
    for path in target.glob("*.xplane.pb"):
        write_chrome_trace(path)


def remove_profiles(folder: Path, since: int) -> None:
    """Removes the profiles of stretches that began at the step `since` or later, whole or not."""
    for path in (folder / PROFILES).glob("*"):
        step = path.name.removeprefix(NAME)
        if not step.isdecimal() or int(step) >= since:
            shutil.rmtree(path)


def write_chrome_trace(path: Path) -> None:
    """Writes a profile's events beside it in the Trace Event Format.

    The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
    """
    # Not among TensorFlow's public names, so no run without --trace depends on it.
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace.FromString(path.read_bytes())
    events = [
        event
        for process, plane in enumerate(space.planes)
        for event in plane_events(process, plane)
    ]
    target = path.with_name(path.name.removesuffix(".xplane.pb") + ".trace.json.gz")
    with gzip.open(target, "wt", encoding="utf-8") as file:
        json.dump({"displayTimeUnit": "ms", "traceEvents": events}, file)


def plane_events(process: int, plane: Message) -> Iterator[dict]:
    """The events of an XPlane, a device: names of its threads, then what ran when, in µs."""
    yield {"ph": "M", "pid": process, "name": "process_name", "args": {"name": plane.name}}
    for thread, line in enumerate(plane.lines):
        place = {"pid": process, "tid": thread}
        name = line.display_name or line.name
        yield {"ph": "M", "name": "thread_name", "args": {"name": name}, **place}
        for event in line.events:
            yield {
                "ph": "X",
                "name": plane.event_metadata[event.metadata_id].name,
                "ts": line.timestamp_ns / 1e3 + event.offset_ps / 1e6,
                "dur": event.duration_ps / 1e6,
                **place,
            }
