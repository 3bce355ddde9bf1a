"""Profiles of a run and of its resumption, for TensorBoard's profile page."""

from xprof.convert import raw_to_tool_data

from tests.support.command import run_command, run_here
from tests.support.reading import only_run


def test_profiles(data_dir, tmp_path):
    result = run_command(
        *("--data-dir", data_dir, "--log-dir", tmp_path, "--tasks", "id", "--filters", "2"),
        *("--max-steps", "10", "--quiet", "--trace", "--train-metadata-frequency", "4"),
    )
    assert (result.returncode, result.stderr) == (0, "")
    run = only_run(tmp_path)
    profiles = run / "train" / "plugins" / "profile"
    assert sorted(path.name for path in profiles.iterdir()) == ["step_0", "step_4", "step_8"]
    files = sorted(path for path in profiles.rglob("*") if path.is_file())
    assert [path.name.endswith(".xplane.pb") for path in files] == [True] * 3

    # The profile page's own converter reads it.
    data, kind = raw_to_tool_data.xspace_to_tool_data([str(files[0])], "trace_viewer", {})
    assert kind == "application/json"
    assert "Conv2D" in str(data)

    (profiles / "2026_11_22_05_15_33").mkdir()  # of a run that was killed during a profile
    assert run_here("--resume", run, "--max-steps", "14").returncode == 0
    assert sorted(path.name for path in profiles.iterdir()) == [
        *("step_0", "step_12", "step_4", "step_8")
    ]
