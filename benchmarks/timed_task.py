"""task.py in a process of its own, with a stopwatch round the program's own functions.

`timed_run` starts the process and waits for its end; in it `main` runs the real command. Nothing of
this is in the program: its functions are wrapped in that process alone, as they are loaded.
"""

import functools
import inspect
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

# The unit of ru_maxrss.
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Moment:
    """A time that went to a part of the program, in seconds since 1970."""

    part: str
    begin: float
    end: float
    steps: int = 0  # of training
    memory: int = 0  # of the process after training steps, in bytes

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.begin


@dataclass
class Stopwatch:
    """Gives each moment to the innermost of the timed functions that is under way.

    The parts are those that the functions are named to be of; what is in none of them is `program`.
    A loop's first call, which compiles it, is a part of its own.
    """

    since: float  # when the moment under way began
    part: str = "program"
    moments: list[Moment] = field(default_factory=list)  # the main thread's, without gaps
    aside: list[Moment] = field(default_factory=list)  # other threads', by their processor time
    known: set[object] = field(default_factory=set)  # the loops that were called

    @contextmanager
    def during(self, part: str, steps: int = 0) -> Iterator[None]:
        """The time while this is open is the part's."""
        if threading.current_thread() is not threading.main_thread():
            with self.during_aside(part):
                yield
            return
        outer = self.part
        self.turn_to(part)
        try:
            yield
        finally:
            self.turn_to(outer, steps)

    def turn_to(self, part: str, steps: int = 0) -> None:
        """Ends the moment under way, in which so many training steps were done."""
        now = time.time()
        memory = resident_memory() if steps else 0
        self.moments.append(Moment(self.part, self.since, now, steps, memory))
        self.part, self.since = part, now

    @contextmanager
    def during_aside(self, part: str) -> Iterator[None]:
        """This thread's processor time while this is open is noted beside the moments."""
        begin, before = time.time(), time.thread_time()
        try:
            yield
        finally:
            self.aside.append(Moment(part, begin, begin + time.thread_time() - before))

    def wrap(self, owner: object, name: str, part: str) -> None:
        """Times a function of a module or a class."""
        function = getattr(owner, name)

        @functools.wraps(function)
        def timed(*arguments: object, **named: object) -> object:
            with self.during(part):
                return function(*arguments, **named)

        setattr(owner, name, timed)

    def wrap_all(self, owner: type, part: str) -> None:
        """Times all methods of a class."""
        for name, member in list(vars(owner).items()):
            if inspect.isfunction(member):
                self.wrap(owner, name, part)

    def wrap_loop(self, owner: type, name: str, part: str, steps: Callable[..., int]) -> None:
        """Times a compiled loop's method; `steps` tells from its arguments how many it trains."""
        function = getattr(owner, name)

        @functools.wraps(function)
        def timed(loop: object, *arguments: int) -> object:
            first = loop not in self.known
            self.known.add(loop)
            with self.during(f"first {part}" if first else part, steps(*arguments)):
                return function(loop, *arguments)

        setattr(owner, name, timed)


def wrap_what_needs_no_tensorflow(watch: Stopwatch) -> None:
    """Times what is loaded before the flags are checked, and the loading of the rest."""
    from rich.live import Live

    from runs import describe, files
    from runs.display import Display
    from training import device

    watch.wrap(describe, "describe_run", "logging")
    watch.wrap(files, "write_whole", "logging")
    watch.wrap_all(Display, "display")
    watch.wrap_all(Live, "display")
    choose_device = device.choose_device

    def choose_and_wrap(*arguments: object, **named: object) -> str:
        with watch.during("tensorflow"):
            chosen = choose_device(*arguments, **named)
            wrap_what_needs_tensorflow(watch)  # loads what task.py would load next
        return chosen

    device.choose_device = choose_and_wrap


def wrap_what_needs_tensorflow(watch: Stopwatch) -> None:
    """Times the rest."""
    from data import loading
    from runs import log
    from training.step import EvaluationLoop, TrainingLoop
    from training.trainer import Trainer

    watch.wrap(loading, "load_datasets", "data")
    watch.wrap(Trainer, "__init__", "network")
    watch.wrap_loop(TrainingLoop, "train", "training", steps=lambda start, end, seen: end - start)
    watch.wrap_loop(EvaluationLoop, "test", "testing", steps=lambda stopped: 0)
    watch.wrap(Trainer, "save", "saving")
    for name in ("take_up", "graph", "log_training", "log_mixing"):
        watch.wrap(Trainer, name, "logging")
    watch.wrap(log, "cut_back", "logging")
    watch.wrap_all(log.RunLog, "logging")


def resident_memory() -> int:
    """The memory that the process has now, in bytes; its peak where only that is told."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_BYTES
    return pages * os.sysconf("SC_PAGE_SIZE")


def main(started: float, notes: Path, flags: list[str]) -> int:
    """Runs task.py on the flags, in a process that was `started` then, and writes the notes."""
    watch = Stopwatch(started)
    wrap_what_needs_no_tensorflow(watch)
    import task

    code = task.main(flags)
    watch.turn_to("end")
    written = {name: list(map(asdict, getattr(watch, name))) for name in ("moments", "aside")}
    notes.write_text(json.dumps(written), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
