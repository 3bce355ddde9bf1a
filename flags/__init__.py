"""The command line's flags: their defaults, their checks, and what follows from them."""

import argparse
import shlex
import sys
from collections.abc import Sequence

from command import Parser
from errors import RequestError
from flags.checks import check_and_resolve
from flags.experiment import add_network_flags, add_task_flags, add_training_flags
from flags.running import add_data_flags, add_run_flags


class PresetParser(Parser):
    """A parser of flags that takes some of them from a file: `@experiments/NAME.args`."""

    def convert_arg_line_to_args(self, line: str) -> list[str]:
        """The flags in a line of such a file, as a shell would part them; # begins a comment."""
        return shlex.split(line, comments=True)

    def parse_args(self, *arguments: object) -> argparse.Namespace:
        """The flags; a file that is no text, or names itself, is refused like any other flag."""
        try:
            return super().parse_args(*arguments)
        except (ValueError, RecursionError) as error:
            self.error(f"the file of flags cannot be read: {error}")


def parse_flags(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The settings of a run, checked and resolved.

    Raises:
        RequestError: flags that cannot work, alone or together.
        SystemExit: flags that argparse refuses (code 2), or --help (code 0).
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    typed = {argument.partition("=")[0] for argument in arguments}  # not what is in a preset
    if {"--epochs", "--max-steps"} <= typed:
        raise RequestError("--epochs and --max-steps both say how long to train; name one of them")
    settings = make_parser().parse_args(arguments)
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
    add_task_flags(parser.add_argument_group("tasks and their schedule"))
    add_network_flags(parser.add_argument_group("network"))
    add_training_flags(parser.add_argument_group("training"))
    add_data_flags(parser.add_argument_group("data"))
    add_run_flags(parser.add_argument_group("the run and its log"))
    return parser
