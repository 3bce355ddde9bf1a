"""What the commands have in common: how they end, and what they say when they fail."""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TextIO

from errors import RequestError, RunError
from interrupts import Interrupted, Interrupts


class Parser(argparse.ArgumentParser):
    """A parser that tells what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Refuses the flags; argparse calls this.

        Raises:
            RequestError: always.
        """
        raise RequestError(f"{message}; see {self.prog} --help")


def exit_code_of(program: str, action: Callable[[Interrupts], int]) -> int:
    """Does what a command does, and turns what goes wrong into one line and an exit code."""
    try:
        with Interrupts() as interrupts:
            code = action(interrupts)
            sys.stdout.flush()  # where a disk that is full can still be told
            return code
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
        complain(program, f"stopped{interrupted.way_on}")
        return 128 + interrupted.signal_number


def complain(program: str, message: str) -> None:
    """Prints a message in one line, whatever is in it."""
    print(f"{program}:", " ".join(message.split()), file=sys.stderr)


class Output:
    """A stream that goes on without its reader: a closed pipe, or a terminal that is gone.

    What is still written goes nowhere, rather than end a run that nobody watches any more.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Writes the text, if anybody reads it."""
        with self.unless_gone():
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Writes out what is still in memory, if anybody reads it."""
        with self.unless_gone():
            self.stream.flush()

    @contextmanager
    def unless_gone(self) -> Iterator[None]:
        """Turns the stream to nowhere once its reader is gone."""
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):
                raise
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)


def prepare_outputs() -> None:
    """Lets both outputs take what their encoding lacks, and lose their readers.

    A missing × is no reason to fail, nor is it that nobody looks.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w")  # noqa: SIM115 (for good)
        stream.reconfigure(errors="replace")
        setattr(sys, name, Output(stream))
