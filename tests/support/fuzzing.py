"""Damage done to files at random, and what a command says to it."""

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

# No case should take a hundredth of it, in seconds of the processor's time, which do not depend on
# what else it does: it would never end otherwise.
PATIENCE = 30
# Bytes at the beginning and at the end of a file, where most formats have their headers.
HEADER = 80

Draw = Callable
Result = TypeVar("Result")


def cases(count: int) -> settings:
    """So many cases, always the same; with a larger profile of hypothesis's as many times more."""
    return settings(
        max_examples=count * settings().max_examples // 100,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def cut(draw: Draw, contents: bytes) -> bytes:
    """The beginning of it, or the end."""
    place = draw(places(contents))
    return draw(st.sampled_from([contents[:place], contents[place:]]))


def flip(draw: Draw, contents: bytes) -> bytes:
    """Some of its bits turned over."""
    damaged = bytearray(contents)
    for place in draw(st.lists(places(contents), min_size=1, max_size=6)):
        damaged[min(place, len(damaged) - 1)] ^= 1 << draw(st.integers(0, 7))
    return bytes(damaged)


def insert(draw: Draw, contents: bytes) -> bytes:
    """Bytes put into it."""
    place = draw(places(contents))
    return contents[:place] + draw(st.binary(min_size=1, max_size=40)) + contents[place:]


def overwrite(draw: Draw, contents: bytes) -> bytes:
    """Bytes of it replaced by others."""
    place, others = draw(places(contents)), draw(st.binary(min_size=1, max_size=40))
    return contents[:place] + others + contents[place + len(others) :]


def duplicate(draw: Draw, contents: bytes) -> bytes:
    """A part of it that stands there several times."""
    start, end = sorted([draw(places(contents)), draw(places(contents))])
    return contents[:end] + contents[start:end] * draw(st.integers(1, 3)) + contents[end:]


def delete(draw: Draw, contents: bytes) -> bytes:
    """A part of it left out."""
    start, end = sorted([draw(places(contents)), draw(places(contents))])
    return contents[:start] + contents[end:]


def oversize(draw: Draw, contents: bytes) -> bytes:
    """A number in it that is far too large, or below nothing, as formats write numbers."""
    place, width = draw(places(contents)), draw(st.sampled_from([1, 2, 4, 8]))
    number = draw(st.sampled_from([0, 1 << 28, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 62]))
    text = number.to_bytes(8, draw(st.sampled_from(["little", "big"])))
    value = draw(st.sampled_from([text[:width], text[-width:], b"7" * width, b"9" * 12]))
    return contents[:place] + value + contents[place + len(value) :]


def other_format(draw: Draw, contents: bytes) -> bytes:
    """Nothing, or the beginning of a file of another kind, with or without what follows."""
    beginnings = [b"", b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
    beginnings += [b"\x93NUMPY\x01\x00", b"\x80\x04N.", b"id,breed\n", b"BZh9", b"\xfd7zXZ\x00"]
    return draw(st.sampled_from(beginnings)) + draw(st.sampled_from([b"", contents]))


def places(contents: bytes) -> st.SearchStrategy[int]:
    """Places in it: as often near its ends as anywhere."""
    last = len(contents)
    return st.one_of(
        st.integers(0, min(HEADER, last)),
        st.integers(max(0, last - HEADER), last),
        st.integers(0, last),
    )


DAMAGES = (cut, flip, insert, overwrite, duplicate, delete, oversize, other_format)


@st.composite
def damaged(draw: Draw, contents: bytes) -> bytes:
    """The contents of a file, which are not empty, damaged in one way or in two."""
    for damage in draw(st.lists(st.sampled_from(DAMAGES), min_size=1, max_size=2)):
        contents = damage(draw, contents or b"\0")
    return contents


def put(path: Path, contents: bytes | None) -> None:
    """Writes the file; None makes a folder of it."""
    if contents is None:
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(contents)


@contextmanager
def put_for_now(path: Path, contents: bytes | None) -> Iterator[None]:
    """Has the file other contents while it is open; None makes a folder of it."""
    before = path.read_bytes()
    put(path, contents)
    try:
        yield
    finally:
        if path.is_dir():
            path.rmdir()
        path.write_bytes(before)


class Hang(BaseException):
    """What takes too long. Like KeyboardInterrupt, no error to be caught."""


@contextmanager
def no_hang() -> Iterator[None]:
    """Ends what is done inside if it takes too long."""

    def end(*arguments: object) -> None:
        raise Hang

    signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def outcome(load: Callable[[], Result]) -> tuple[Result | None, str]:
    """What a command would load, and what it says; it loads nothing where it refuses in one line.

    Fails where it ends in any other way, or warns.
    """
    loaded = []
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()) as stderr, no_hang():
        warnings.simplefilter("error")
        code = exit_code_of("task.py", lambda interrupts: loaded.append(load()) or 0)
    said = stderr.getvalue()
    if code:
        assert code == 2, said
        assert said.startswith("task.py: error: ") and said.count("\n") == 1, said
    return (loaded or [None])[0], said


def snapshot(folder: Path) -> dict[Path, bytes | None]:
    """Everything in a folder; None stands for folders."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}
