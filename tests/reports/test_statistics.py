import math

import pytest

from reports.statistics import interval, t_quantile


# As tables print them, such as NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        *((1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (9, 2.262), (10, 2.228)),
        *((29, 2.045), (30, 2.042), (60, 2.000), (100, 1.984), (10_000, 1.960)),
    ],
)
def test_quantiles_are_those_of_the_tables(degrees: int, expected: float) -> None:
    assert t_quantile(degrees) == pytest.approx(expected, abs=0.0005)


def test_an_interval_by_hand() -> None:
    # The mean is 3, the sample standard deviation 1, its error 1 / √3 = 0.577; 4.303 of them.
    assert interval([2, 3, 4]) == pytest.approx((3, 3 - 2.484, 3 + 2.484), abs=0.0005)


def test_one_value_has_no_interval() -> None:
    mean, low, high = interval([5])
    assert mean == 5 and math.isnan(low) and math.isnan(high)
