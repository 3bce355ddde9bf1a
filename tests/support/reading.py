"""Reads a run's folder, the event files with TensorBoard's own reader."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from google.protobuf.json_format import MessageToDict
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.util import tensor_util

from runs.folder import runs_below


def read_curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Returns the points (step, value) of each tag in one curve's folder."""
    events = accumulate(folder)
    return {
        tag: [
            (e.step, float(tensor_util.make_ndarray(e.tensor_proto))) for e in events.Tensors(tag)
        ]
        for tag in events.Tags()["tensors"]
        if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars"
    }


def accumulate(folder: Path) -> EventAccumulator:
    """Returns TensorBoard's reader of one curve's folder, with every point kept."""
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return events


def read_sessions(run: Path) -> list[dict | int]:
    """Returns what a run has told HParams, each time: its settings, and the status of its end."""
    found = []
    for file in sorted(run.glob("events.out.tfevents.*")):
        for event in EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                data = HParamsPluginData.FromString(value.metadata.plugin_data.content)
                if data.HasField("session_start_info"):
                    started = data.session_start_info
                    settings = MessageToDict(started)["hparams"]
                    found.append({"group": started.group_name, "settings": settings})
                else:
                    found.append(data.session_end_info.status)
    return found


def read_metrics(run: Path) -> list[dict]:
    """Returns the lines of `metrics.jsonl`."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def read_json(path: Path) -> dict:
    """Returns the contents of a JSON file."""
    return json.loads(path.read_bytes())


def change_config(section: str | None = None, **values: object) -> Callable[[Path], None]:
    """Returns a function that changes values in a run's config.json; None removes one."""

    def change(run: Path) -> None:
        config = read_json(run / "config.json")
        part = config[section] if section else config
        part.update(values)
        for name in [name for name, value in values.items() if value is None]:
            del part[name]
        (run / "config.json").write_text(json.dumps(config))

    return change


change_settings = partial(change_config, "settings")


def only_run(log_dir: Path) -> Path:
    """Returns the folder of the only run in a --log-dir."""
    (run,) = runs_below(log_dir)
    assert (run / "config.json").exists()
    return run


def read_log(run: Path) -> dict:
    """Returns all that a run has logged, to the last bit.

    Left out are the time at which each point was written, and the settings, some of which a
    resumption may change.
    """
    files = {"metrics": run / "metrics.jsonl", "matrix": run / "matrix.csv"}
    found = {name: path.read_text() if path.exists() else "" for name, path in files.items()}
    found["session"] = read_sessions(run)
    for folder in sorted(path for path in run.iterdir() if path.is_dir()):
        events = accumulate(folder)
        for tag in set(events.Tags()["tensors"]) - {"settings"}:
            found[folder.name, tag] = [
                (point.step, point.tensor_proto.SerializeToString())
                for point in events.Tensors(tag)
            ]
        if events.Tags()["graph"]:
            found[folder.name, "graph"] = len(events.Graph().node)
    return found
