"""The parser, outputs, signals, messages and exit code of every command."""

import argparse
import errno
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import NoReturn, TextIO

from errors import Interrupted, RequestError, RunError

# Bytes. TensorFlow crashes with an eighth of it.
MIN_STACK = 1024**2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        """Refuses the flags; argparse calls this.

        Raises:
            RequestError: always.
        """
        raise RequestError(f"{message}; see {self.prog} --help")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Ends the program after --help; argparse calls this."""
        sys.stdout.flush()  # while a full disk can still be reported
        super().exit(status, message)


class Interrupts:
    """Handles Ctrl-C, SIGTERM and a closed terminal while it is open.

    A signal ends the program at once, or where it is deferred is only recorded.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.deferring = False

    def __enter__(self) -> "Interrupts":
        # Python handles signals in the main thread alone, such as not in a notebook's worker.
        heard = SIGNALS if current_thread() is main_thread() else ()
        self.previous = {
            number: signal.signal(number, self.handle)
            for number in heard
            # nohup ignores the end of the terminal, a script with `command &` Ctrl-C; so do we.
            if signal.getsignal(number) != signal.SIG_IGN
        }
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def handle(self, signal_number: int, frame: FrameType | None) -> None:
        """Records the first signal where it is deferred; else ends the program.

        Raises:
            Interrupted: the signal is not deferred, or is the second.
        """
        if not self.deferring or self.received is not None:
            for number in self.previous:
                signal.signal(number, signal.SIG_IGN)  # the program is already ending
            raise Interrupted(signal_number)
        self.received = signal_number

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Defers the first signal while this is open; the second ends the program at once."""
        self.deferring = True
        try:
            yield
        finally:
            self.deferring = False

    def stopped(self) -> bool:
        """Tells whether a signal has been recorded."""
        return self.received is not None


def exit_code_of(program: str, action: Callable[[Interrupts], int]) -> int:
    """Runs a command's action, and turns a signal or an error into one line and an exit code."""

    def interruptible() -> int:
        check_current_folder()
        with Interrupts() as interrupts:
            code = action(interrupts)
            sys.stdout.flush()  # while a full disk can still be reported
            return code

    return report_errors(program, interruptible)


def report_errors(program: str, action: Callable[[], int]) -> int:
    """Runs an action that returns an exit code, and turns an error into one line and a code."""
    try:
        return action()
    except RequestError as error:
        print_error(program, f"error: {error}")
        return 2
    except (RunError, OSError) as error:
        print_error(program, f"failed: {error}")
        return 1
    except MemoryError as error:
        print_error(program, f"failed: out of memory: {error}")
        return 1
    except ModuleNotFoundError as error:
        print_error(
            program,
            f"failed: {error.name} is not installed; activate the environment with "
            "`. .venv/bin/activate` and install it with `pipenv sync`",
        )
        return 1
    except ImportError as error:  # such as under a limit of memory
        print_error(
            program,
            f"failed: a library cannot be loaded ({str(error)[:200]}); free some memory, or "
            "install the environment again with `pipenv sync`",
        )
        return 1
    except Interrupted as interrupted:
        print_error(program, f"stopped{interrupted.advice}")
        return 128 + interrupted.signal_number


@contextmanager
def output_errors(path: Path, remedy: str) -> Iterator[None]:
    """Reports that what --output names cannot be written; `remedy` is the advice.

    Raises:
        RequestError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise RequestError(
            f"--output: {path} cannot be written ({error.strerror}); {remedy}"
        ) from error


def print_error(program: str, message: str) -> None:
    """Prints a message on standard error, in one line."""
    print(f"{program}:", one_line(message), file=sys.stderr)


def print_note(message: str) -> None:
    """Prints a note on standard error, in one line."""
    print("note:", one_line(message), file=sys.stderr, flush=True)


def one_line(text: str) -> str:
    """Returns the text in one printable line, whatever line breaks and controls are in it."""
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    r"""Returns the text with an escape such as \x1b for each character that cannot be printed.

    Names of files and classes may hold characters that control a terminal, reverse the text, or
    stand for bytes that are not UTF-8.
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def check_current_folder() -> None:
    """Refuses a current folder that has been deleted, in which no relative path has a meaning.

    Raises:
        RequestError: it has been.
    """
    try:
        os.getcwd()
    except FileNotFoundError as error:
        raise RequestError("the current folder is gone; change to another") from error


def check_limits(memory: int) -> None:
    """Refuses limits of the shell under which libraries crash or hang while they are loaded.

    Args:
        memory: the bytes of address space that they take.

    Raises:
        RequestError: a limit is too low.
    """
    for option, limit, needed in (
        ("-v", resource.RLIMIT_AS, memory),
        ("-s", resource.RLIMIT_STACK, MIN_STACK),
    ):
        allowed, _ = resource.getrlimit(limit)
        if allowed != resource.RLIM_INFINITY and allowed < needed:
            raise RequestError(
                f"`ulimit {option}` allows {allowed // 1024:,} KB, and the libraries need "
                f"{needed // 1024:,}; raise it"
            )


def is_terminal() -> bool:
    """Tells whether standard output is a terminal on which a bar can be redrawn.

    rich decides otherwise: it heeds variables such as FORCE_COLOR, which would put control
    characters into files.
    """
    return sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


class Output:
    """A stream that survives its reader: a closed pipe, or a terminal that is gone.

    The text is then discarded, rather than end a run that nobody watches any more. Where it cannot
    be written for another reason, such as a full disk, that is an error if the stream is required;
    else the text is discarded too.
    """

    def __init__(self, stream: TextIO, required: bool = True) -> None:
        self.stream = stream
        self.required = required

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Writes the text, if the stream still has a reader; raises RunError as `discarding`."""
        with self.discarding():
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes the stream, if it still has a reader; raises RunError as `discarding`."""
        with self.discarding():
            self.stream.flush()

    @contextmanager
    def discarding(self) -> Iterator[None]:
        """Redirects the stream to the null device once it cannot be written.

        Raises:
            RunError: it has a reader and is required. No OSError, which a caller would take for
                one of its own files'.
        """
        try:
            yield
        except OSError as error:
            null_device = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null_device, self.stream.fileno())
            os.close(null_device)
            if self.required and error.errno not in (errno.EPIPE, errno.EIO):
                raise RunError(f"the output cannot be written ({error.strerror})") from error


def prepare_outputs() -> None:
    """Makes both outputs accept characters that their encoding lacks, and lose their readers.

    A message on standard error that cannot be written is dropped: the exit code tells enough.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w")  # noqa: SIM115 (for good)
        stream.reconfigure(errors="replace")
        setattr(sys, name, Output(stream, required=name == "stdout"))
