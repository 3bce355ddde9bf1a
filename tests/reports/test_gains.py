from pathlib import Path

import pytest

from reports.gains import gain_of, gains_of
from reports.table import make_table
from tests.support.run_folders import cells, make_groups

# Final accuracies: 0.3 and 0.9 together, 0.4 and 0.8 alone.
MULTI = {"accuracies": [[0.1, 0.1], [0.3, 0.9]], "heads": "multi"}
DOG = {"accuracies": [[0.1], [0.4]], "tasks": ["dog"]}
ID = {"accuracies": [[0.1], [0.7], [0.8]], "tasks": ["id"]}


def test_the_gain_over_single_tasks(tmp_path: Path) -> None:
    groups = make_groups(tmp_path, MULTI, DOG, ID)
    gain = gain_of(groups[0], groups)
    assert gain.delta == pytest.approx(((0.3 - 0.4) / 0.4 + (0.9 - 0.8) / 0.8) / 2)
    assert f"dog alone in `{tmp_path / '1'}` (equal settings)" in gain.note
    assert f"id alone in `{tmp_path / '2'}` (200 steps)" in gain.note
    table, notes = make_table(groups)
    # 0.3/0.4 loses a quarter, 0.9/0.8 gains an eighth.
    assert [row[7] for row in cells(table)] == ["", "", "-6.25", "", ""]
    assert gain.note in notes and any("1904.08918" in note for note in notes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"optimizer": "adam"}, "for dog alone"),
        ({"network": ["conv", "conv", "fc"]}, "for dog alone"),
        ({"input_style": "channelplex"}, "for dog alone"),
        ({"dog_breeds": ["pug", "boxer"]}, "for dog alone"),
        ({"fake_data": True}, "for dog alone"),
        ({"accuracies": [[0.1], [0.0]]}, "the accuracy on dog alone is 0"),
    ],
)
def test_there_is_no_gain_where_a_task_has_no_match(
    tmp_path: Path, changes: dict, reason: str
) -> None:
    groups = make_groups(tmp_path, MULTI, DOG | changes, ID)
    gain = gain_of(groups[0], groups)
    assert gain.delta is None and reason in gain.note
    assert [row[7] for row in cells(make_table(groups)[0])] == ["", "", "–", "", ""]
    assert gains_of(groups[:1]) == {}


def test_the_gain_is_taken_over_the_best_match(tmp_path: Path) -> None:
    frequent = ID | {"accuracies": [[0.1], [0.9]], "test_frequency": 50}
    closer = ID | {"accuracies": [[0.1], [0.6]], "heads": "multi"}
    groups = make_groups(tmp_path, MULTI, DOG, ID, frequent, closer)
    gain = gain_of(groups[0], groups)
    assert f"id alone in `{tmp_path / '4'}`" in gain.note
    assert gain.delta == pytest.approx((-0.25 + 0.5) / 2)
