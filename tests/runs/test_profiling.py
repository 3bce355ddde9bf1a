"""A profile that TensorBoard's profile page and Chrome's trace viewer can open."""

import gzip
import json

from xprof.convert import raw_to_tool_data

from tests.support.command import run_command
from tests.support.datasets import write_mnist
from tests.support.reading import only_run


def test_trace(tmp_path):
    write_mnist(tmp_path / "mnist")
    result = run_command(
        *("--data-dir", tmp_path, "--log-dir", tmp_path / "log", "--tasks", "id", "--quiet"),
        *("--max-steps", "8", "--filters", "2", "--trace", "--train-metadata-frequency", "5"),
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    folder = only_run(tmp_path / "log") / "train" / "plugins" / "profile"
    assert sorted(path.name for path in folder.iterdir()) == ["step_0", "step_5"]
    profiles = sorted(folder.glob("*/*.xplane.pb"))
    assert len(profiles) == 2
    traces = sorted(folder.glob("*/*.trace.json.gz"))
    assert [path.parent for path in traces] == [path.parent for path in profiles]

    # The profile page's own converter reads it.
    data, kind = raw_to_tool_data.xspace_to_tool_data([str(profiles[0])], "trace_viewer", {})
    assert kind == "application/json"
    assert "Conv2D" in str(data)

    # Chrome's viewer wants an object with traceEvents, complete events with ts and dur.
    with gzip.open(traces[0], "rt") as file:
        events = json.load(file)["traceEvents"]
    complete = [event for event in events if event["ph"] == "X"]
    assert any("Conv2D" in event["name"] for event in complete)
    for event in complete:
        assert event["ts"] >= 0
        assert event["dur"] >= 0
        assert {"pid", "tid", "name"} <= set(event)
    names = {event["args"]["name"] for event in events if event["ph"] == "M"}
    assert "/host:CPU" in names


def test_no_trace_unless_asked(tmp_path):
    write_mnist(tmp_path / "mnist")
    flags = ("--tasks", "id", "--quiet", "--max-steps", "2", "--train-metadata-frequency", "1")
    result = run_command("--data-dir", tmp_path, "--log-dir", tmp_path / "log", *flags)
    assert result.returncode == 0, result.stderr
    assert not list((tmp_path / "log").rglob("plugins"))
