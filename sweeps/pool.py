"""Runs of a sweep on this machine: as many at once as processors, GPUs and memory admit."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from queue import SimpleQueue

from data.memory import available
from errors import RequestError
from runs.request import processors
from sweeps.options import Options
from sweeps.plan import Job
from sweeps.process import Outcome, Stop, run
from sweeps.trials import Trial

# Bytes of a run: TensorFlow and a common dataset (docs/sweeps.md).
RUN_MEMORY = 1_200_000_000


class Pool:
    """Slots of this machine, each for one run at a time."""

    def __init__(self, options: Options, trials: Sequence[Trial]) -> None:
        """Counts the slots.

        Raises:
            RequestError: runs need a GPU, and there is none.
        """
        self.gpus: SimpleQueue[str] = SimpleQueue()
        threads = max(trial.settings.device.threads for trial in trials)
        memory, _ = min(available(), default=(RUN_MEMORY * len(trials), ""))
        limits = [processors() // threads, memory // RUN_MEMORY, len(trials)]
        if any(trial.settings.device.gpu for trial in trials):
            names = gpu_names()
            if not names:
                raise RequestError(
                    "--gpu: nvidia-smi lists no GPU; check the driver, or leave out --gpu"
                )
            slots = names * options.per_gpu
            for name in slots:
                self.gpus.put(name)
            limits.append(len(slots))
        self.at_once = min(options.at_once or max(1, min(limits)), len(trials))
        each = f"{threads} thread{'s' * (threads > 1)} each"
        self.description = f"{self.at_once} at a time, {each}"

    def run(self, job: Job, stop: Stop) -> Outcome:
        """Runs a job, on a GPU of its own if it needs one."""
        with self.gpu() if job.trial.settings.device.gpu else nullcontext({}) as variables:
            return run(job, stop, variables, new_session=True)

    def close(self) -> None:
        """Does nothing: every run has ended."""

    @contextmanager
    def gpu(self) -> Iterator[dict[str, str]]:
        """Provides the environment variable that names a GPU which no other run is using."""
        name = self.gpus.get()
        try:
            yield {"CUDA_VISIBLE_DEVICES": name}
        finally:
            self.gpus.put(name)


def gpu_names() -> list[str]:
    """Returns the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return [str(number) for number, _ in enumerate(listed.stdout.splitlines())]
