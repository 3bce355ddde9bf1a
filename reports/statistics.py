"""The mean of a few numbers with its 95 % interval, by Student's t."""

import math
from collections.abc import Sequence
from functools import cache
from statistics import fmean, stdev

LEVEL = 0.95


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Returns the mean of the values, and the lower and the upper end of its 95 % interval.

    The ends are NaN where there are fewer than two values, which tell nothing of the deviation.
    """
    mean = fmean(values)
    if len(values) < 2:
        return mean, math.nan, math.nan
    width = t_quantile(len(values) - 1) * stdev(values) / math.sqrt(len(values))
    return mean, mean - width, mean + width


@cache
def t_quantile(degrees: int) -> float:
    """Returns the 0.975 quantile of Student's t: 12.71 for one degree of freedom, 1.96 for many."""
    low, high = 0.0, math.pi / 2
    while low < (angle := (low + high) / 2) < high:
        low, high = (angle, high) if probability(angle, degrees) < LEVEL else (low, angle)
    return math.sqrt(degrees) * math.tan(angle)


def probability(angle: float, degrees: int) -> float:
    """Returns the probability of |t| < √degrees · tan(angle) by Student's distribution.

    Abramowitz and Stegun 1964, Handbook of Mathematical Functions, 26.7.3 and 26.7.4: a finite sum
    of powers of the cosine, odd ones or even ones.
    """
    odd = degrees % 2
    term = math.sin(angle) * (math.cos(angle) if odd else 1.0)
    total = 0.0
    for power in range(2 + odd, degrees + 1, 2):
        total += term
        term *= math.cos(angle) ** 2 * (power - 1) / power
    return 2 / math.pi * (angle + total) if odd else total
