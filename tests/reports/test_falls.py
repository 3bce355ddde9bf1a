from pathlib import Path

import pytest

from reports.falls import biggest_fall
from tests.support.run_folders import make_groups

# dog, id, dog, id. Dog falls by 0.4 in the first turn of id, and by 0.1 in the second; id by 0.3.
RUN = {"accuracies": [[0.1, 0.9], [0.9, 0.2], [0.5, 0.8], [0.8, 0.5], [0.7, 0.6]], "task_time": 100}


def test_the_biggest_fall_is_of_a_task_that_was_trained_before(tmp_path: Path) -> None:
    (group,) = make_groups(tmp_path / "one", RUN)
    assert biggest_fall(group) == "dog fell from 90 % to 50 % while id was learned"
    other = RUN | {"accuracies": [[0.1, 0.9], [0.7, 0.2], [0.7, 0.8], [0.8, 0.2], [0.7, 0.6]]}
    (group,) = make_groups(tmp_path / "two", RUN, other)
    expected = "id fell from 80 % to 35 % while dog was learned (mean over 2 seeds)"
    assert biggest_fall(group) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"fake_data": True}, "dog fell from 90 % to 50 % while id was learned (drawn data)"),
        ({"schedule": "joint"}, ""),
        ({"schedule": "random"}, ""),
        ({"task_time": 50}, ""),  # evaluated too rarely
        ({"task_time": 400}, ""),  # a single turn
        (
            {"accuracies": [[0.1, 0.1], [0.5, 0.1], [0.6, 0.5]]},
            "no task lost a point while another was learned",
        ),
    ],
)
def test_what_is_said_of_other_runs(tmp_path: Path, settings: dict, expected: str) -> None:
    (group,) = make_groups(tmp_path, RUN | settings)
    assert biggest_fall(group) == expected
