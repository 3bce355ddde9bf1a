"""task.py as a sweep starts it: the run saves and ends when the sweep does, however that ends."""

import os
import signal
import sys
from pathlib import Path
from threading import Thread


def end_with_the_sweep() -> None:
    """Waits until the other end of standard input is closed, and then ends this process."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    # Not the folder of this file: its modules have names that libraries may have too.
    here = Path(__file__).resolve().parent
    sys.path[:] = [str(here.parent), *(each for each in sys.path if each != str(here))]
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # which may be ignored, by inheritance
    from program import run_program

    Thread(target=end_with_the_sweep, daemon=True).start()
    run_program("task")
