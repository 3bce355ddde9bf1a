"""What the last digits of a run depend on besides its settings: recorded, and compared."""

import json
import os

import pytest

from runs.description import MAX_FACT, describe_machine, describe_variables, differences
from runs.request import read_request, resolve
from settings import Settings


@pytest.mark.parametrize("allowed", [{0}, {0, 3, 5}, set(range(2_000))])
def test_the_number_of_threads_is_that_of_the_processors_when_the_run_starts(
    allowed, monkeypatch, tmp_path
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: allowed, raising=False)
    started = resolve(Settings())
    assert started.device.threads == min(len(allowed), 1_024)
    assert resolve(Settings().replace(threads=7)).device.threads == 7
    (tmp_path / "config.json").write_text(json.dumps({"settings": started.to_json()}))
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    _, resumed = read_request(["--resume", str(tmp_path)])
    assert resumed.device == started.device


def test_variables_that_the_libraries_heed_are_recorded_in_one_printable_line(monkeypatch):
    before = describe_variables()
    heeded = {"TF_ENABLE_ONEDNN_OPTS": "0", "XLA_FLAGS": "--x", "OMP_NUM_THREADS": "3"}
    others = {"TF_VAR_password": "secret", "TF_CPP_MIN_LOG_LEVEL": "0", "PATH_TF_": "x"}
    for name, value in {**heeded, **others, "DNNL_X": "\x1b[31m\n" + "y" * 200}.items():
        monkeypatch.setenv(name, value)
    found = describe_variables()
    shown = found.pop("DNNL_X")
    assert found == before | heeded
    assert len(shown) == MAX_FACT and shown.isprintable() and shown.startswith("\\x1b[31m yyy")


def test_the_processor_is_recorded():
    machine = describe_machine()
    assert list(machine) == ["processor", "machine"]
    assert all(text.isprintable() and len(text) <= MAX_FACT for text in machine.values())


@pytest.mark.parametrize(
    ("before", "now", "differing"),
    [
        ({"variables": {}}, {"variables": {"TF_X": "0"}}, {"TF_X": ["nothing", "0"]}),
        ({"variables": {"TF_X": "0"}}, {"variables": {}}, {"TF_X": ["0", "nothing"]}),
        ({"versions": {"a": "1", "b": None}}, {"versions": {"a": "2"}}, {"a": ["1", "2"]}),
        ({}, {"machine": {"processor": "new"}}, {}),  # an older run, of which that is unknown
        (
            {"versions": {"a": "\x1b" * 99}},
            {"versions": {"a": "1"}},
            {"a": ["\\x1b" * 14 + "\\x1…", "1"]},
        ),
    ],
)
def test_what_differs_is_told_both_ways(before, now, differing):
    assert differences(before, now) == differing
