"""Runs of a sweep on a Ray cluster: the same function as on one machine, placed by Ray."""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from threading import Event, current_thread, main_thread
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
    "RAY_gcs_rpc_server_connect_timeout_s": "2",
    "RAY_py_gcs_connect_timeout_s": "2",
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
        gpus = 1 / options.per_gpu if any(each.device.gpu for each in settings) else 0
        needs = {"CPU": threads, "memory": RUN_MEMORY, "GPU": gpus}
        slots = sum(slots_of(node["Resources"], needs) for node in nodes)
        if not slots:  # Ray would wait for such a node for ever
            self.close()
            raise RequestError(
                f"--cluster: no node of {options.cluster} has what a run takes: {threads} "
                f"processor{'s' * (threads > 1)}, {RUN_MEMORY / 1e9} GB of memory"
                f"{', a GPU' if gpus else ''}; name fewer --threads, or add such a node"
            )
        self.task = self.ray.remote(
            num_cpus=threads, num_gpus=gpus, memory=RUN_MEMORY, max_retries=RESTARTS
        )(run_on_node)
        self.at_once = min(options.at_once or slots, len(trials))
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


def slots_of(resources: Mapping[str, float], needs: Mapping[str, float]) -> int:
    """Returns how many runs a node with these resources has room for."""
    return int(min(resources.get(name, 0) / need for name, need in needs.items() if need))


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
    said: list[str] = []
    try:
        if address != "auto":
            socket.create_connection((host, int(port)), ANSWER).close()
        with own_handlers(), standard_error_kept(said):
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # Ray raises nearly anything
        detail = said[-1].rpartition("] ")[2] if said else ""  # without the time and the process
        reason = one_line(f"{error} {detail}")
        raise RequestError(
            f"--cluster: no Ray cluster answers at {address} ({reason[:300]}); start one as "
            "docs/clusters.md says, or leave --cluster out"
        ) from error
    return ray


@contextmanager
def own_handlers() -> Iterator[None]:
    """Puts the handlers of signals back that Ray replaces: its own end runs without saving."""
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        if current_thread() is main_thread():  # Ray replaces them there alone
            for number, handler in handlers.items():
                signal.signal(number, handler)


@contextmanager
def standard_error_kept(said: list[str]) -> Iterator[None]:
    """Adds to `said` the lines that libraries print on standard error, in place of printing them.

    Args:
        said: the lines, once this is closed.
    """
    before = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)
            file.seek(0)
            said += file.read().decode(errors="replace").splitlines()


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
