"""Runs of a sweep on a Ray cluster: the same function as on one machine, placed by Ray."""

import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from threading import Event, current_thread
from types import ModuleType
from typing import TextIO

from command import one_line
from errors import RequestError
from files import SCRATCH
from sweeps.options import Options
from sweeps.plan import Job
from sweeps.pool import RUN_MEMORY
from sweeps.process import RESTARTS, STOPPED, WAIT, Outcome, Stop, run
from sweeps.trials import Trial

# Seconds until an address counts as one where nobody answers.
ANSWER = 5
# Settings of Ray that must stand before it is imported. The first lets nobody else start runs; the
# second would make every node build an environment.
VARIABLES = {
    "RAY_AUTH_MODE": "token",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Otherwise an address where something else answers is asked for 14 minutes.
    "RAY_gcs_rpc_server_connect_timeout_s": "3",
    "RAY_py_gcs_connect_timeout_s": "3",
    "RAY_NUM_REDIS_GET_RETRIES": "1",
    # Otherwise a run that does not fit into a node's memory is started again for ever.
    "RAY_task_oom_retries": str(RESTARTS),
}


class Cluster:
    """The nodes of a Ray cluster, which start a run each time they have room for it."""

    def __init__(self, options: Options, trials: Sequence[Trial]) -> None:
        """Connects to the cluster.

        Raises:
            RequestError: Ray is not installed, nobody answers at the address, or a node does not
                see the folder of the log.
        """
        settings = [trial.settings for trial in trials]
        threads = max(each.device.threads for each in settings)
        self.ray = connect(options.cluster)
        sys.stdout = WithoutRay(sys.stdout)
        try:
            nodes = [node for node in self.ray.nodes() if node["Alive"]]
            check_shared(self.ray, nodes, Path(settings[0].log.log_dir))
        except BaseException:
            self.close()
            raise
        resources = self.ray.cluster_resources()
        slots = [resources.get("CPU", 1) // threads]
        needs = {"num_cpus": threads, "memory": RUN_MEMORY, "max_retries": RESTARTS}
        if any(each.device.gpu for each in settings):
            needs["num_gpus"] = 1 / options.per_gpu
            slots.append(resources.get("GPU", 0) * options.per_gpu)
            if not slots[-1]:
                self.close()
                raise RequestError(f"--gpu: the cluster {options.cluster} has no GPU")
        self.task = self.ray.remote(**needs)(run_on_node)
        self.at_once = options.at_once or max(1, int(min(slots)))
        self.description = (
            f"{self.at_once} at a time on {len(nodes)} node{'s' * (len(nodes) > 1)}, {threads} "
            f"thread{'s' * (threads > 1)} each"
        )

    def run(self, job: Job, stop: Stop) -> Outcome:
        """Runs a job on some node, and on another if that is lost."""
        task = self.task.remote(job, os.getcwd())
        while not self.ray.wait([task], timeout=WAIT)[0]:
            if stop.saved.is_set():
                self.ray.cancel(task, force=stop.now.is_set())
        try:
            return self.ray.get(task)
        except self.ray.exceptions.TaskCancelledError:
            return Outcome(STOPPED, job.folder, "")
        except self.ray.exceptions.RayError as error:
            return Outcome(1, job.folder, one_line(str(error))[:200])

    def close(self) -> None:
        """Leaves the cluster."""
        with redirect_stdout(StringIO()):  # what Ray still has to say
            self.ray.shutdown()
        sys.stdout = sys.stdout.stream


class WithoutRay:
    """A stream without what Ray's own threads print: a line for each lost worker or node."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Writes the text, unless it is Ray's."""
        return len(text) if current_thread().name.startswith("ray_") else self.stream.write(text)


def run_on_node(job: Job, directory: str) -> Outcome:
    """Runs a job in a worker of Ray, in the folder in which the sweep was started.

    The process stays in the group of the worker, with which Ray ends it.
    """
    os.chdir(directory)
    return run(job, Stop(Event(), Event()), {}, new_session=False)


def connect(address: str) -> ModuleType:
    """Connects to a cluster, and returns Ray.

    Raises:
        RequestError: Ray is not installed, or nobody answers at the address.
    """
    host, colon, port = address.rpartition(":")
    if address != "auto" and not (colon and host and "/" not in host and port.isdecimal()):
        raise RequestError(
            f"--cluster: expected auto or host:port, got {address!r}; on a node of the cluster "
            "`ray status` tells whether it runs"
        )
    for name, value in VARIABLES.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ModuleNotFoundError as error:
        raise RequestError(
            "--cluster: Ray is not installed; install it with "
            '`pipenv install --categories "packages cluster"`, or leave --cluster out'
        ) from error
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        if address != "auto":
            socket.create_connection((host, int(port)), ANSWER).close()
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # Ray raises nearly anything
        raise RequestError(
            f"--cluster: no Ray cluster answers at {address} ({one_line(str(error))[:200]}); start "
            "one as docs/clusters.md says, or leave --cluster out"
        ) from error
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)  # Ray's own would end the runs without saving
    return ray


def check_shared(ray: ModuleType, nodes: Sequence[dict], log_dir: Path) -> None:
    """Refuses a folder of the log that not every node sees.

    Raises:
        RequestError: a node does not see it, or it cannot be written.
    """
    probe = log_dir.absolute() / f"{SCRATCH}{os.getpid()}-{socket.gethostname()}"
    strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    look = ray.remote(num_cpus=0)(sees)
    try:
        log_dir.mkdir(parents=True, exist_ok=True)
        probe.touch()
        strategies = [strategy(node["NodeID"], soft=False) for node in nodes]
        tasks = [look.options(scheduling_strategy=each).remote(str(probe)) for each in strategies]
        for node, seen in zip(nodes, ray.get(tasks), strict=True):
            if not seen:
                raise RequestError(
                    f"--log-dir: the node {node['NodeManagerAddress']} does not see {log_dir}; "
                    "name a folder that all nodes share"
                )
    except OSError as error:
        raise RequestError(
            f"--log-dir: {log_dir} cannot be written ({error.strerror}); name a folder that can be"
        ) from error
    finally:
        probe.unlink(missing_ok=True)


def sees(path: str) -> bool:
    """Tells whether the node on which this runs sees a file."""
    return os.path.exists(path)
