from pathlib import Path

import pytest

from reports.gains import gain_of, gains_of
from reports.table import make_table
from tests.support.run_folders import cells, groups_of, write_run


def write_multi_and_singles(folder: Path, **changes: object) -> list[Path]:
    """Writes runs on two tasks (final 0.3 and 0.9) and on each alone (final 0.4 and 0.8)."""
    return [
        write_run(folder / "multi", [[0.1, 0.1], [0.3, 0.9]], heads="multi"),
        write_run(folder / "dog", [[0.1], [0.4]], tasks=["dog"], **changes),
        write_run(folder / "id", [[0.1], [0.7], [0.8]], tasks=["id"]),
    ]


def test_the_gain_over_single_tasks(tmp_path: Path) -> None:
    groups = groups_of(*write_multi_and_singles(tmp_path))
    gain = gain_of(groups[0], groups)
    assert gain.delta == pytest.approx(((0.3 - 0.4) / 0.4 + (0.9 - 0.8) / 0.8) / 2)
    assert f"dog alone in `{tmp_path / 'dog'}` (equal settings)" in gain.note
    assert f"id alone in `{tmp_path / 'id'}` (200 steps)" in gain.note
    table, notes = make_table(groups)
    # 0.3/0.4 loses a quarter, 0.9/0.8 gains an eighth.
    assert [row[7] for row in cells(table)] == ["", "", "-6.25", "", ""]
    assert gain.note in notes and any("1904.08918" in note for note in notes)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "adam"},
        {"network": ["conv", "conv", "fc"]},
        {"input_style": "channelplex"},
        {"dog_breeds": ["pug", "boxer"]},
        {"fake_data": True},
    ],
)
def test_there_is_no_gain_where_a_task_has_no_match(tmp_path: Path, changes: dict) -> None:
    folders = write_multi_and_singles(tmp_path, **changes)
    groups = groups_of(*folders)
    gain = gain_of(groups[0], groups)
    assert gain.delta is None and "for dog alone" in gain.note
    assert [row[7] for row in cells(make_table(groups)[0])] == ["", "", "–", "", ""]
    assert gains_of(groups_of(folders[0])) == {}


def test_the_gain_is_taken_over_the_best_match(tmp_path: Path) -> None:
    folders = write_multi_and_singles(tmp_path)
    frequent = write_run(tmp_path / "2", [[0.1], [0.9]], tasks=["id"], test_frequency=50)
    closer = write_run(tmp_path / "closer", [[0.1], [0.6]], tasks=["id"], heads="multi")
    groups = groups_of(*folders, frequent, closer)
    assert str(closer) in gain_of(groups[0], groups).note
    assert gain_of(groups[0], groups).delta == pytest.approx((-0.25 + 0.5) / 2)


def test_there_is_no_gain_over_an_accuracy_of_zero(tmp_path: Path) -> None:
    multi, _, single = write_multi_and_singles(tmp_path)
    zero = write_run(tmp_path / "zero", [[0.1], [0.0]], tasks=["dog"])
    groups = groups_of(multi, zero, single)
    assert gain_of(groups[0], groups).delta is None
