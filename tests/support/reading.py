"""Reads a run's folder back, the event files with TensorBoard's own reader."""

import json
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from reports.runs import runs_below


def read_curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """The points (step, value) of each tag in one curve's folder."""
    events = accumulate(folder)
    return {
        tag: [
            (e.step, float(tensor_util.make_ndarray(e.tensor_proto))) for e in events.Tensors(tag)
        ]
        for tag in events.Tags()["tensors"]
        if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars"
    }


def accumulate(folder: Path) -> EventAccumulator:
    """TensorBoard's reader of one curve's folder, with every point kept."""
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return events


def read_metrics(run: Path) -> list[dict]:
    """The lines of `metrics.jsonl`."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def only_run(log_dir: Path) -> Path:
    """The folder of the one run in a --log-dir."""
    (run,) = runs_below(log_dir)
    assert (run / "config.json").exists()
    return run
