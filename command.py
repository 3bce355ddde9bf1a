"""What the commands have in common: how they end, and what they say when they fail."""

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from errors import RequestError, RunError
from interrupts import Interrupted, Interrupts


class Parser(argparse.ArgumentParser):
    """A parser that tells what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Ends the program, as argparse asks of this method."""
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def exit_code_of(program: str, action: Callable[[Interrupts], int]) -> int:
    """Does what a command does, and turns what goes wrong into one line and an exit code."""
    try:
        with Interrupts() as interrupts:
            return action(interrupts)
    except RequestError as error:
        complain(program, f"error: {error}")
        return 2
    except (RunError, OSError) as error:
        complain(program, f"failed: {error}")
        return 1
    except MemoryError as error:
        complain(program, f"failed: out of memory: {error}")
        return 1
    except ModuleNotFoundError as error:
        complain(
            program,
            f"failed: {error.name} is not installed; run `pipenv sync`, then `pipenv shell`",
        )
        return 1
    except Interrupted as interrupted:
        complain(program, "stopped")
        return 128 + interrupted.signal_number


def complain(program: str, message: str) -> None:
    """Prints a message in one line, whatever is in it."""
    print(f"{program}:", " ".join(message.split()), file=sys.stderr)


def accept_any_encoding() -> None:
    """Lets both outputs take what their encoding lacks: a missing × is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
