"""Damages files at random, and checks how a command reacts."""

import io
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from command import exit_code_of

# The limit of a case in seconds of processor time, which do not depend on the machine's load. No
# case should take a hundredth of it.
PATIENCE = 30
# Bytes at the beginning and the end of a file, where most formats have their headers.
HEADER = 80

Draw = Callable
Result = TypeVar("Result")


def cases(count: int) -> settings:
    """Returns settings for `count` fixed cases; a larger Hypothesis profile multiplies them."""
    return settings(
        max_examples=count * settings().max_examples // 100,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def cut(draw: Draw, contents: bytes) -> bytes:
    """Keeps the beginning or the end."""
    place = draw(places(contents))
    return draw(st.sampled_from([contents[:place], contents[place:]]))


def flip(draw: Draw, contents: bytes) -> bytes:
    """Flips some bits."""
    damaged = bytearray(contents)
    for place in draw(st.lists(places(contents), min_size=1, max_size=6)):
        damaged[min(place, len(damaged) - 1)] ^= 1 << draw(st.integers(0, 7))
    return bytes(damaged)


def insert(draw: Draw, contents: bytes) -> bytes:
    """Inserts bytes."""
    place = draw(places(contents))
    return contents[:place] + draw(st.binary(min_size=1, max_size=40)) + contents[place:]


def overwrite(draw: Draw, contents: bytes) -> bytes:
    """Replaces bytes."""
    place, others = draw(places(contents)), draw(st.binary(min_size=1, max_size=40))
    return contents[:place] + others + contents[place + len(others) :]


def duplicate(draw: Draw, contents: bytes) -> bytes:
    """Repeats a part."""
    start, end = sorted([draw(places(contents)), draw(places(contents))])
    return contents[:end] + contents[start:end] * draw(st.integers(1, 3)) + contents[end:]


def delete(draw: Draw, contents: bytes) -> bytes:
    """Removes a part."""
    start, end = sorted([draw(places(contents)), draw(places(contents))])
    return contents[:start] + contents[end:]


def oversize(draw: Draw, contents: bytes) -> bytes:
    """Overwrites bytes with a number that is far too large or negative, in a usual encoding."""
    place, width = draw(places(contents)), draw(st.sampled_from([1, 2, 4, 8]))
    number = draw(st.sampled_from([0, 1 << 28, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 62]))
    text = number.to_bytes(8, draw(st.sampled_from(["little", "big"])))
    value = draw(st.sampled_from([text[:width], text[-width:], b"7" * width, b"9" * 12]))
    return contents[:place] + value + contents[place + len(value) :]


def other_format(draw: Draw, contents: bytes) -> bytes:
    """Returns an empty file, or the header of another format, with or without the contents."""
    beginnings = [b"", b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
    beginnings += [b"\x93NUMPY\x01\x00", b"\x80\x04N.", b"id,breed\n", b"BZh9", b"\xfd7zXZ\x00"]
    return draw(st.sampled_from(beginnings)) + draw(st.sampled_from([b"", contents]))


def places(contents: bytes) -> st.SearchStrategy[int]:
    """Draws positions, near the ends as often as anywhere."""
    last = len(contents)
    return st.one_of(
        st.integers(0, min(HEADER, last)),
        st.integers(max(0, last - HEADER), last),
        st.integers(0, last),
    )


DAMAGES = (cut, flip, insert, overwrite, duplicate, delete, oversize, other_format)


@st.composite
def damaged(draw: Draw, contents: bytes) -> bytes:
    """Damages the contents of a file, which are not empty, in one way or two."""
    for damage in draw(st.lists(st.sampled_from(DAMAGES), min_size=1, max_size=2)):
        contents = damage(draw, contents or b"\0")
    return contents


def put(path: Path, contents: bytes | None) -> None:
    """Replaces the file's contents; None replaces it by a folder."""
    if contents is None:
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(contents)


@contextmanager
def put_for_now(path: Path, contents: bytes | None) -> Iterator[None]:
    """Replaces the file's contents, or it by a folder (None), until the block ends."""
    before = path.read_bytes()
    put(path, contents)
    try:
        yield
    finally:
        if path.is_dir():
            path.rmdir()
        path.write_bytes(before)


class Hang(BaseException):
    """Raised in code that takes too long; like KeyboardInterrupt, not an Exception."""


@contextmanager
def no_hang() -> Iterator[None]:
    """Raises Hang inside if the block takes too long."""

    def end(*arguments: object) -> None:
        raise Hang

    signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def outcome(load: Callable[[], Result]) -> tuple[Result | None, str]:
    """Returns the result of `load` (None if a command refuses it) and the text on stderr.

    Fails if the refusal is not one line, or if `load` warns or raises another error.
    """
    loaded = []
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()) as stderr, no_hang():
        warnings.simplefilter("error")
        code = exit_code_of("task.py", lambda interrupts: loaded.append(load()) or 0)
    text = stderr.getvalue()
    if code:
        assert code == 2, text
        assert text.startswith("task.py: error: ") and text.count("\n") == 1, text
    return (loaded or [None])[0], text


def snapshot(folder: Path) -> dict[Path, bytes | None]:
    """Returns the contents of all files in a folder; None for each folder."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}
