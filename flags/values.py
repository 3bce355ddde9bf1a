"""What a flag's text may be."""

import argparse
import math
from collections.abc import Callable


def whole_number(text: str, least: int = 1, most: float = math.inf) -> int:
    """A flag's whole number, `least` or more, and no more than `most`."""
    limits = f"{least} or more" if most == math.inf else f"{least} to {most:,}"
    return checked(text, int, lambda n: least <= n <= most, f"a whole number, {limits}")


def positive_number(text: str) -> float:
    """A flag's number above 0."""
    return checked(text, float, lambda x: 0 < x < math.inf, "a number above 0")


def finite_number(text: str) -> float:
    """A flag's number of either sign."""
    return checked(text, float, math.isfinite, "a number")


def not_negative(text: str) -> float:
    """A flag's number, 0 or more."""
    return checked(text, float, lambda x: 0 <= x < math.inf, "a number, 0 or more")


def keep_probability(text: str) -> float:
    """A flag's number above 0 and up to 1."""
    # Where rounding makes the share that is dropped 1, nothing at all would be kept.
    return checked(text, float, lambda x: x <= 1 and 1 - x < 1, "a number above 0 and up to 1")


def checked(text: str, kind: type, fits: Callable[[float], bool], expected: str) -> float:
    """The number that the text stands for, if it fits; what was expected, if not."""
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not fits(number):
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
    return number
