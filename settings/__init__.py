"""The command line's flags: their defaults, their checks, and what follows from them."""

import argparse
import shlex
import sys
from collections.abc import Sequence

from command import Parser
from runs.resume import resumed_settings
from settings.checks import check_and_resolve
from settings.experiment import (
    add_input_flags,
    add_network_flags,
    add_schedule_flags,
    add_task_flags,
    add_training_flags,
    add_whole_network_flags,
)
from settings.running import add_data_flags, add_device_flags, add_resume_flag, add_run_flags


class PresetParser(Parser):
    """A parser of flags that takes some of them from a file: `@experiments/NAME.args`."""

    def convert_arg_line_to_args(self, line: str) -> list[str]:
        """The flags in a line of such a file, parted as by a shell; a # begins a comment."""
        return shlex.split(line, comments=True)

    def _read_args_from_files(self, arguments: list[str]) -> list[str]:
        """Puts the flags that are in a file in the place of its name; argparse calls this.

        It does so for what is typed and then for each file, and so sees what stands together.
        """
        names = {argument.partition("=")[0] for argument in arguments}
        if {"--epochs", "--max-steps"} <= names:
            self.error("--epochs and --max-steps both say how long to train; name one of them")
        return super()._read_args_from_files(arguments)

    def parse_args(self, given: Sequence[str]) -> argparse.Namespace:
        """The flags; a file that is no text, or names itself, is refused like any other flag."""
        try:
            return super().parse_args(given)
        except (ValueError, RecursionError) as error:
            files = " ".join(argument for argument in given if argument.startswith("@"))
            self.error(f"{files}: the file of flags cannot be read: {error}")


def parse_flags(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The settings of a run, checked and resolved.

    Raises:
        RequestError: flags that cannot work, alone or together.
        SystemExit: --help (code 0).
    """
    given = sys.argv[1:] if arguments is None else arguments
    parse = make_parser().parse_args
    settings = parse(given)
    if settings.resume and not settings.list_tasks:
        return resumed_settings(settings, given, parse)
    if not settings.list_tasks:
        check_and_resolve(settings)
    return settings


def make_parser() -> Parser:
    """All flags, in the groups that --help shows."""
    parser = PresetParser(
        prog="task.py",
        description="Trains one small network on several image tasks in turn, and logs to "
        "TensorBoard what it learns, forgets and keeps. @FILE takes flags from a file, such as "
        "@experiments/dog-id.args; those that follow it override it.",
        allow_abbrev=False,
        fromfile_prefix_chars="@",
    )
    tasks = parser.add_argument_group("tasks and their schedule")
    add_task_flags(tasks)
    add_schedule_flags(tasks)
    add_input_flags(parser.add_argument_group("input"))
    network = parser.add_argument_group("network")
    add_network_flags(network)
    add_whole_network_flags(network)
    add_training_flags(parser.add_argument_group("training"))
    add_data_flags(parser.add_argument_group("data"))
    add_device_flags(parser.add_argument_group("the device"))
    run = parser.add_argument_group("the run and its log")
    add_resume_flag(run)
    add_run_flags(run)
    return parser
