"""What a flag's text may be."""

import argparse
import math
from collections.abc import Callable

# Of whatever is counted: this many steps take years. And as many steps of as many examples are
# still counted in 64 bits.
MOST = 10**10
MOST_EXAMPLES = 10**8
LARGEST_SEED = 2**63 - 1
# TensorFlow computes in float32, where a smaller number would be 0, and a larger one infinite.
SMALLEST, LARGEST = 1.2e-38, 3.4e38


def whole_number(text: str, least: int = 1, most: int = MOST) -> int:
    """A flag's whole number, `least` or more, and no more than `most`."""
    expected = f"a whole number, {least} to {most:,}"
    return checked(text, int, lambda n: least <= n <= most, expected)


def positive_number(text: str) -> float:
    """A flag's number above 0."""
    expected = f"a number, {SMALLEST:g} to {LARGEST:g}"
    return checked(text, float, lambda x: SMALLEST <= x <= LARGEST, expected)


def finite_number(text: str) -> float:
    """A flag's number of either sign."""
    expected = f"a number, {-LARGEST:g} to {LARGEST:g}"
    return checked(text, float, lambda x: abs(x) <= LARGEST, expected)


def not_negative(text: str) -> float:
    """A flag's number, 0 or more."""
    return checked(text, float, lambda x: 0 <= x <= LARGEST, f"a number, 0 to {LARGEST:g}")


def proportion(text: str) -> float:
    """A flag's number, 0 or more, of which only the proportion to others counts."""
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
