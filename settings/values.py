"""Kinds of values that a setting can have, from a flag's text or from JSON."""

import argparse
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The largest count: as many steps of as many examples still fit into 64 bits.
MAX_COUNT = 10**10
MAX_EXAMPLES = 10**8
MAX_SEED = 2**63 - 1
# The range of float32, in which TensorFlow computes.
MIN_FLOAT, MAX_FLOAT = 1.2e-38, 3.4e38


@dataclass(frozen=True)
class Kind:
    """The type and range of one value of a setting."""

    type: type  # str, int, float, bool or Path
    expected: str  # for messages: "a whole number, 1 to 10"
    fits: Callable[[Any], bool] = lambda value: True
    metavar: str | None = None  # the value's name in --help
    choices: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None  # of a path: the words that name no file; None: no path

    def parse(self, text: str) -> Any:
        """Reads a value from a flag's text.

        Raises:
            argparse.ArgumentTypeError: the text is not of this kind.
        """
        try:
            value = self.type(text)
        except ValueError:
            value = None
        if value is None or not self.fits(value):
            raise argparse.ArgumentTypeError(f"expected {self.expected}, got {text!r}")
        return value

    def from_json(self, value: object) -> Any:
        """Reads a value from JSON.

        Raises:
            ValueError: the value is not of this kind.
        """
        stored = {Path: str, float: (int, float)}.get(self.type, self.type)
        is_stored = isinstance(value, stored) and (type(value) is not bool or self.type is bool)
        if is_stored and (not self.choices or value in self.choices):
            try:
                converted = self.type(value)
            except (OverflowError, ValueError):
                is_stored = False
            else:
                if self.fits(converted):
                    return converted
        raise ValueError(f"expected {self.expected}, got {value!r:.60}")

    def is_path(self, value: object) -> bool:
        """Tells whether a value is a file system path."""
        return self.names is not None and value is not None and value not in self.names


def whole_number(metavar: str, least: int = 1, most: int = MAX_COUNT) -> Kind:
    """An integer in [least, most]."""
    expected = f"a whole number, {least} to {most:,}"
    return Kind(int, expected, lambda n: least <= n <= most, metavar)


def number(metavar: str | None, least: float, most: float = MAX_FLOAT) -> Kind:
    """A float in [least, most]."""
    expected = f"a number, {least:g} to {most:g}"
    return Kind(float, expected, lambda x: least <= x <= most, metavar)


def choice(*choices: str) -> Kind:
    """One of some words."""
    return Kind(str, f"one of {', '.join(choices)}", choices=choices)


def text(metavar: str) -> Kind:
    """Any word."""
    return Kind(str, "text", metavar=metavar)


def path(metavar: str, *names: str) -> Kind:
    """A path in the file system, or one of some words that name no file."""
    return Kind(str if names else Path, "a path", can_be_path, metavar=metavar, names=names)


def can_be_path(value: str | Path) -> bool:
    """Tells whether the system can be asked for such a path."""
    try:
        return b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


SWITCH = Kind(bool, "true or false")  # off unless its flag is given
ON_OFF = Kind(bool, "true or false")  # a flag with a --no- form
STEPS = whole_number("STEPS")
# Only the proportions count, so that the range is that of Python's floats.
WEIGHT = Kind(float, "a number, 0 or more", lambda x: 0 <= x < math.inf, "W")
# Below 1e-16 rounding makes the share to drop 1, which keeps nothing at all.
KEEP_PROBABILITY = Kind(float, "a number above 0 and up to 1", lambda x: x <= 1 and 1 - x < 1, "P")


def typed(value: object) -> str:
    """Returns a setting's value as it is typed after its flag."""
    if isinstance(value, tuple):
        return " ".join(map(typed, value))
    if value is None or isinstance(value, bool):
        return "on" if value else "nothing"
    return f"{value:g}" if isinstance(value, float) else str(value)
