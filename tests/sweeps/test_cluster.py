"""Sweeps on a Ray cluster of two nodes on loopback: runs and nodes that are lost, and refusals."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import sweep
from runs.folder import runs_below
from runs.history import METRICS
from sweeps import cluster
from tests.support.command import one_line, run_command, run_here
from tests.support.reading import read_metrics
from tests.support.sweeping import flags_of, metrics_of, start


@pytest.fixture(scope="module")
def nodes() -> Iterator[SimpleNamespace]:
    """A cluster of two nodes with a processor each, to which only this test has the token."""
    variables = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": os.urandom(20).hex(),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # or its ports are open to other machines
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 1, "include_dashboard": False}
        started = Cluster(initialize_head=True, head_node_args=head)
        try:
            second = started.add_node(num_cpus=1, env_vars={"BLIND": "1"})
            started.wait_for_nodes()
            yield SimpleNamespace(cluster=started, second=second, address=started.address)
        finally:
            started.shutdown()


def workers() -> list[int]:
    """Returns the processes of Ray that have a run."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if "ray::run_on_node" in line]


def wait_until_evaluated(log_dir: Path, count: int, times: int = 1) -> None:
    """Waits until `count` runs have been evaluated so many times."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        metrics = [run / METRICS for run in runs_below(log_dir) if (run / METRICS).exists()]
        evaluated = [path for path in metrics if path.read_bytes().count(b"\n") >= times]
        if len(evaluated) >= count and workers():
            return
        time.sleep(0.1)
    raise TimeoutError(f"no {count} runs have been evaluated {times} times")


def test_a_folder_that_a_node_does_not_see_is_refused(nodes, data_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "sees", lambda path: "BLIND" not in os.environ)
    flags = flags_of(data_dir, tmp_path, "--max-steps", "20", "--cluster", nodes.address)
    result = run_here(*flags, main=sweep.main)
    assert result.returncode == 2
    assert "does not see" in one_line(result)
    assert not [*runs_below(tmp_path / "log")][1:]


def test_runs_for_which_no_node_has_room_are_refused(nodes, data_dir, tmp_path):
    flags = flags_of(data_dir, tmp_path, "--threads", "2", "--cluster", nodes.address)
    result = run_here(*flags, main=sweep.main)
    assert result.returncode == 2
    assert "no node of" in one_line(result) and "2 processors" in result.stderr


@pytest.mark.parametrize(
    ("resources", "needs", "slots"),
    [
        ({"CPU": 4, "memory": 5e9}, {"CPU": 2, "memory": 1.2e9, "GPU": 0}, 2),
        ({"CPU": 4, "memory": 2e9}, {"CPU": 1, "memory": 1.2e9, "GPU": 0}, 1),
        ({"CPU": 3, "memory": 9e9}, {"CPU": 4, "memory": 1.2e9, "GPU": 0}, 0),
        ({"CPU": 8, "memory": 9e9, "GPU": 1}, {"CPU": 1, "memory": 1.2e9, "GPU": 1 / 3}, 3),
        ({"CPU": 8, "memory": 9e9}, {"CPU": 1, "memory": 1.2e9, "GPU": 1}, 0),
    ],
)
def test_slots_of_a_node(resources, needs, slots):
    assert cluster.slots_of(resources, needs) == slots


def test_lost_workers_and_nodes_change_nothing(nodes, data_dir, tmp_path, whole):
    flags = flags_of(data_dir, tmp_path, "--max-steps", "400", "--cluster", nodes.address)
    process = start(flags)
    wait_until_evaluated(tmp_path / "log", 1)
    os.kill(workers()[0], signal.SIGKILL)
    wait_until_evaluated(tmp_path / "log", 2)
    nodes.cluster.remove_node(nodes.second, allow_graceful=False)
    output, errors = process.communicate(timeout=240)
    assert (process.returncode, errors) == (0, ""), output
    assert output.startswith("4 runs: 4 new; 2 at a time on 2 nodes, 1 thread each\n")
    assert "(raylet)" not in output
    assert metrics_of(tmp_path) == whole


def test_a_signal_saves_the_runs_of_a_cluster(nodes, data_dir, tmp_path):
    flags = flags_of(data_dir, tmp_path, "--max-steps", "400000", "--cluster", nodes.address)
    process = start(flags)
    wait_until_evaluated(tmp_path / "log", 1, times=3)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (143, "")
    assert "; the same command goes on" in output
    assert not workers()
    for run in runs_below(tmp_path / "log"):
        last = read_metrics(run)[-1]["step"]
        saved = [path.name for path in (run / "checkpoints").glob("ckpt-*.index")]
        assert any(int(name[5:-6]) >= last for name in saved)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:9", "no Ray cluster answers at 127.0.0.1:9"),
        ("ray://host:10001", "expected auto or host:port, got 'ray://host:10001'"),
        ("nonsense", "expected auto or host:port"),
    ],
)
def test_an_address_where_nobody_answers_is_refused(address, message, tmp_path):
    result = run_here("--log-dir", tmp_path, "--cluster", address, main=sweep.main)
    assert result.returncode == 2
    assert message in one_line(result)


def test_an_address_where_something_else_listens_is_refused(tmp_path):
    """Ray itself would wait for 14 minutes; the listener never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        flags = ("--log-dir", tmp_path, "--cluster", f"127.0.0.1:{server.getsockname()[1]}")
        result = run_command(*flags, program=["sweep.py"], RAY_AUTH_TOKEN="0" * 40)
    assert result.returncode == 2
    assert "no Ray cluster answers at" in one_line(result)
    assert "Timed out" in result.stderr


def test_ray_that_is_not_installed_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    result = run_here("--log-dir", tmp_path, "--cluster", "auto", main=sweep.main)
    assert result.returncode == 2
    assert "Ray is not installed; install it with `pipenv install" in one_line(result)
