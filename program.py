"""The start of a command as a program, before anything is imported that takes time."""

import os
import signal
import sys
from typing import NoReturn


def run_program(name: str) -> NoReturn:
    """Runs the command in the module `name`, and ends the process with its exit code.

    The module is imported where a library that cannot be loaded is reported. Until the command
    handles signals itself, they end the process in silence.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's handler shows a traceback
    open_standard_streams()
    from importlib import import_module

    from command import prepare_outputs, report_errors

    prepare_outputs()
    sys.exit(report_errors(f"{name}.py", lambda: import_module(name).main()))


def open_standard_streams() -> None:
    """Opens the null device in place of each standard stream that is closed.

    Otherwise the next file that is opened would have its number, and receive what is printed.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
