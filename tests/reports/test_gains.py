from pathlib import Path

import pytest

from reports.gains import compare, gain_of
from reports.groups import Group
from reports.markdown import line_in_markdown
from tests.support.run_folders import make_groups, notes_on, overview

# Final accuracies: 0.3 and 0.9 together, 0.4 and 0.8 alone.
MULTI = {"accuracies": [[0.1, 0.1], [0.3, 0.9]], "heads": "multi"}
DOG = {"accuracies": [[0.1], [0.4]], "tasks": ["dog"]}
ID = {"accuracies": [[0.1], [0.7], [0.8]], "tasks": ["id"]}


def column(groups: list[Group], heading: str) -> list[str]:
    """Returns a column of the table of the groups; an empty list without it."""
    table = overview(groups)
    found = [list(table.headings).index(heading)] if heading in table.headings else []
    return [row[index].text for index in found for row in table.rows]


def test_the_gain_over_single_tasks(tmp_path: Path) -> None:
    groups = make_groups(tmp_path, MULTI, DOG, ID)
    gain = gain_of(groups[0], groups)
    assert gain.delta == pytest.approx(((0.3 - 0.4) / 0.4 + (0.9 - 0.8) / 0.8) / 2)
    note = line_in_markdown(gain.note)
    assert f"dog alone in `{tmp_path / '1'}` (equal settings)" in note
    assert f"id alone in `{tmp_path / '2'}` (200 steps)" in note
    # 0.3/0.4 loses a quarter, 0.9/0.8 gains an eighth.
    assert column(groups, "Δ, %") == ["-6.25", "–", "–"]
    notes = notes_on(groups)
    assert note in notes and any("1904.08918" in note for note in notes)


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
    assert gain.delta is None and reason in line_in_markdown(gain.note)
    assert column(groups, "Δ, %") == []
    assert any(reason in note for note in notes_on(groups))
    assert compare(groups[:1], groups[:1]).gains == {}


def test_the_gain_is_taken_over_the_best_match(tmp_path: Path) -> None:
    frequent = ID | {"accuracies": [[0.1], [0.9]], "test_frequency": 50}
    closer = ID | {"accuracies": [[0.1], [0.6]], "heads": "multi"}
    groups = make_groups(tmp_path, MULTI, DOG, ID, frequent, closer)
    gain = gain_of(groups[0], groups)
    assert f"id alone in `{tmp_path / '4'}`" in line_in_markdown(gain.note)
    assert gain.delta == pytest.approx((-0.25 + 0.5) / 2)


# The accuracies at the ends of the first turns: 0.3 of dog, 0.8 of id.
TURNS = {"accuracies": [[0.1, 0.1], [0.3, 0.1], [0.2, 0.8]], "task_time": 100, "heads": "multi"}
JOINT = {"accuracies": [[0.1, 0.1], [0.9, 0.6]], "tasks": ["id", "dog"], "schedule": "joint"}


def test_intransigence_against_single_tasks_and_joint_training(tmp_path: Path) -> None:
    # 0.4 − 0.3 of dog and 0.8 − 0.8 of id.
    groups = make_groups(tmp_path / "single", TURNS, DOG, ID)
    assert column(groups, "intransigence, %") == ["5.00", "–", "–"]
    assert any("the runs with which Δ compares" in note for note in notes_on(groups))
    # 0.6 − 0.3 of dog and 0.9 − 0.8 of id, in the other order.
    groups = make_groups(tmp_path / "joint", TURNS, DOG, ID, JOINT | {"heads": "multi"})
    assert column(groups, "intransigence, %") == ["20.00", "–", "–", "–"]
    (note,) = [note for note in notes_on(groups) if note.startswith("intransigence of ")]
    assert f"joint training in `{tmp_path / 'joint' / '3'}` (joint, 100 steps)" in note
    # Of the tasks that were trained: 0.6 − 0.3 of dog.
    once = TURNS | {"accuracies": TURNS["accuracies"][:2]}
    groups = make_groups(tmp_path / "once", once, JOINT | {"heads": "multi"})
    assert column(groups, "intransigence, %") == ["30.00", "–"]
    # With other heads it is no reference.
    groups = make_groups(tmp_path / "other", TURNS, JOINT | {"heads": "shared"})
    assert column(groups, "intransigence, %") == []
