"""The flags of task.py, made of the settings, and the presets that hold some of them."""

import argparse
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from command import Parser
from files import open_regular
from settings import Settings, flag
from settings.running import Command
from settings.setting import Setting, settings_of
from settings.values import ON_OFF, SWITCH, typed

# Two ways to say how long to train, of which the later takes the place of the earlier.
LENGTHS = ("max_steps", "epochs")
# Bytes of a file of flags. The names of all of Omniglot's alphabets take a thousand.
MAX_PRESET = 100_000


class Length(argparse.Action):
    """Stores one way to say how long to train, and drops the other, such as a preset's."""

    def __call__(
        self, parser: argparse.ArgumentParser, given: argparse.Namespace, value: int, flag: str
    ) -> None:
        """Stores the value; argparse calls this."""
        for name in LENGTHS:
            vars(given).pop(name, None)
        setattr(given, self.dest, value)


class PresetParser(Parser):
    """A parser that reads flags from files too: `@experiments/NAME.args`."""

    def _read_args_from_files(
        self, arguments: list[str], opened: tuple[Path, ...] = ()
    ) -> list[str]:
        """Replaces each file's name by the flags in it; argparse calls this.

        Args:
            opened: the files that the arguments were read from, each named by the one before.
        """
        names = {argument.partition("=")[0] for argument in arguments}
        if {flag(name) for name in LENGTHS} <= names:
            self.error("--epochs and --max-steps both say how long to train; name one of them")
        return [
            each
            for argument in arguments
            for each in (
                self.flags_in(Path(argument[1:]), opened)
                if argument.startswith("@")
                else [argument]
            )
        ]

    def flags_in(self, path: Path, opened: tuple[Path, ...]) -> list[str]:
        """Returns the flags in a file, and in those that it names."""
        if path.resolve() in opened:
            self.error(f"@{path}: the file of flags names itself, or another that names it")
        return self._read_args_from_files(self.words_in(path), (*opened, path.resolve()))

    def words_in(self, path: Path) -> list[str]:
        """Reads a file of flags, which are split as a shell does; a # begins a comment."""
        try:
            with open_regular(path) as file:
                contents = file.read(MAX_PRESET + 1)
            if len(contents) > MAX_PRESET:
                self.error(f"@{path}: expected a file of flags of at most {MAX_PRESET:,} bytes")
            return shlex.split(contents.decode(), comments=True)
        except OSError as error:
            self.error(f"@{path}: the file of flags cannot be read: {error.strerror}")
        except ValueError as error:
            self.error(f"@{path}: the file of flags cannot be read: {error}")


def make_parser() -> Parser:
    """Builds the parser with all flags, in the groups that --help shows."""
    parser = PresetParser(
        prog="task.py",
        description="Trains one small network on several image tasks in turn, and logs to "
        "TensorBoard what it learns, forgets and keeps. @FILE takes flags from a file, such as "
        "@experiments/dog-id.args; flags that follow it override it.",
        allow_abbrev=False,
        fromfile_prefix_chars="@",
        argument_default=argparse.SUPPRESS,  # so that only what was given is in the result
    )
    parser._negative_number_matcher = re.compile(r"-\.?\d")  # argparse's own lacks -1e-5
    for section in sections():
        group = parser.add_argument_group(section.title)
        for name, facts in settings_of(section).items():
            group.add_argument(flag(name), **argparse_options(name, facts))
    return parser


def sections() -> list[Any]:
    """Returns the sections of the flags, in the order of --help."""
    settings = Settings()
    return [*(getattr(settings, name) for name in vars(settings)), Command()]


def argparse_options(name: str, facts: Setting) -> dict[str, Any]:
    """Returns how argparse is to read a setting's flag."""
    text = {"help": described(facts).replace("%", "%%")}
    if facts.kind is SWITCH:
        return {"action": "store_true", **text}
    if facts.kind is ON_OFF:
        return {"action": argparse.BooleanOptionalAction, **text}
    metavar = facts.metavars or facts.kind.metavar
    options = {"type": facts.kind.parse, "nargs": facts.nargs, "metavar": metavar, **text}
    if facts.kind.choices:
        options["choices"] = facts.kind.choices
    if name in LENGTHS:
        options["action"] = Length
    return options


def described(facts: Setting) -> str:
    """Returns the help of a setting, with its default where the text does not tell it."""
    default = facts.default
    if default is None or default is False or "(default:" in facts.help:
        return facts.help
    return f"{facts.help} (default: {typed(default)})"


def parse_flags(arguments: Sequence[str]) -> dict[str, Any]:
    """Reads the flags that were given.

    Returns:
        The value of each setting, and of each field of `Command`, that was named; several values
        as a tuple.

    Raises:
        RequestError: a flag or a value is wrong, or a file of flags cannot be read.
        SystemExit: --help (code 0).
    """
    parser = make_parser()
    try:
        given = vars(parser.parse_args(arguments))
    except RecursionError as error:  # hundreds of files, each named by another
        files = " ".join(argument for argument in arguments if argument.startswith("@"))
        parser.error(f"{files}: the file of flags cannot be read: {error}")
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
