"""The flags of sweep.py that are not task.py's."""

import argparse
import itertools
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from errors import RequestError
from settings import Settings, flag
from settings.parser import PresetParser
from settings.values import MAX_SEED, ON_OFF, SWITCH

# Seeds of one sweep, lest a slip of the finger fill the memory.
MAX_SEEDS = 10_000
# Flags of task.py that a sweep sets itself, or that start no run.
OWN = {
    "--seed": "name the seeds with --seeds",
    "--resume": "a sweep resumes its own runs",
    "--list-tasks": "ask task.py",
    "--dry-run": "it is one of sweep.py itself",
}
NO_FLAG = "it is no flag of a sweep"
UNVARIED = ("seed", "log_dir", "quiet")
EPILOG = """\
All other flags are task.py's, for every run; a preset (@FILE) may hold flags of both. Flags typed
outside of a variant override those in it. Typed again, the same command does what is left to do.
"""


@dataclass(frozen=True)
class Varied:
    """A flag of task.py and the values that it takes in turn."""

    name: str  # the setting's
    values: tuple[tuple[str, ...], ...]  # of each the flags as typed, such as ("--task-time", "50")


@dataclass(frozen=True)
class Options:
    """The flags of sweep.py."""

    common: tuple[str, ...]  # task.py's, for every run
    seeds: tuple[int, ...]
    vary: tuple[Varied, ...]
    variants: tuple[tuple[str, ...], ...]  # flags of task.py that belong together
    at_once: int | None
    per_gpu: int
    cluster: str | None
    stop_at_failure: bool
    list: bool
    dry_run: bool
    quiet: bool
    output: Path


def read_options(arguments: Sequence[str]) -> Options:
    """Reads the flags.

    Raises:
        RequestError: a flag of sweep.py is wrong; task.py's are not looked at.
        SystemExit: --help (code 0).
    """
    parser = make_parser()
    given, common = parser.parse_known_args(with_own_presets(parser, arguments))
    varied = [each.name for each in given.vary]
    for name in varied:
        if varied.count(name) > 1:
            raise RequestError(f"--vary {name}: named twice; put all its values into one --vary")
    for token in (*common, *itertools.chain(*given.variant)):
        name = token.partition("=")[0]
        if name in OWN:
            raise RequestError(f"{name}: {NO_FLAG}; {OWN[name]}")
        if name.replace("--no-", "--") in map(flag, varied):
            raise RequestError(f"{name}: it is both fixed and varied; leave one of them out")
    return Options(
        tuple(common),
        given.seeds,
        tuple(given.vary),
        tuple(given.variant) or ((),),
        **{
            name: getattr(given, name)
            for name in Options.__dataclass_fields__
            if name not in ("common", "seeds", "vary", "variants")
        },
    )


def make_parser() -> PresetParser:
    """Builds the parser of sweep.py's own flags."""
    parser = PresetParser(
        prog="sweep.py",
        usage="sweep.py [FLAGS OF task.py] [--seeds 0-4] [--vary FLAG=V1,V2] [--variant FLAGS] ...",
        description="Makes all runs that a question needs, on this machine or on a Ray cluster, "
        "and answers it with a report.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--seeds",
        type=seeds,
        default=(0,),
        metavar="A-B",
        help="the seeds, such as 0-4 or 0,3,7; there is a run of each (default: 0)",
    )
    add(
        "--vary",
        type=varied,
        action="append",
        default=[],
        metavar="FLAG=V1,V2",
        help="a flag of task.py and its values; spaces part the items of one value, as in "
        '"filters=16 32,64 128"; switches take on and off. Several multiply',
    )
    add(
        "--variant",
        type=variant,
        action="append",
        default=[],
        metavar="FLAGS",
        help='flags that belong together, such as "--optimizer adam --learning-rate 0.01" or '
        "@FILE; several are alternatives",
    )
    add(
        "--at-once",
        type=count,
        metavar="N",
        help="runs at a time (default: as many as processors, GPUs and memory admit)",
    )
    add("--per-gpu", type=count, default=1, metavar="N", help="runs that share a GPU (default: 1)")
    add(
        "--cluster",
        metavar="ADDRESS",
        help="run on a Ray cluster: auto, or host:port (default: on this machine)",
    )
    add("--stop-at-failure", action="store_true", help="start no more runs after one has failed")
    add("--list", action="store_true", help="print a command for each run that is left to do")
    add("--dry-run", action="store_true", help="print the plan and every run, and stop")
    add("--quiet", action="store_true", help="print the answer alone")
    add(
        "--output",
        type=Path,
        default=Path("report"),
        metavar="DIR",
        help="the folder for the report's files (default: %(default)s)",
    )
    return parser


def with_own_presets(
    parser: PresetParser, arguments: Sequence[str], opened: tuple[Path, ...] = ()
) -> list[str]:
    """Replaces each @FILE that holds flags of sweep.py by the flags in it.

    Other presets, and those of variants, are task.py's to read.

    Args:
        opened: the files that the arguments were read from, each named by the one before.

    Raises:
        RequestError: a file cannot be read, or names itself.
    """
    own = {option for action in parser._actions for option in action.option_strings}
    found: list[str] = []
    for token in arguments:
        if found[-1:] in (["--vary"], ["--variant"]):  # whose values may begin with --
            found[-1] += f"={token}"
            continue
        preset = token.startswith("@")
        path = Path(token[1:])
        words = parser.words_in(path) if preset else []
        if own & {each.partition("=")[0] for each in words}:
            if path.resolve() in opened:
                parser.error(f"@{path}: the file of flags names itself, or another that names it")
            found += with_own_presets(parser, words, (*opened, path.resolve()))
        else:
            found.append(token)
    return found


def seeds(text: str) -> tuple[int, ...]:
    """Reads seeds: numbers and ranges, parted by commas.

    Raises:
        argparse.ArgumentTypeError: it is something else, or a seed is named twice.
    """
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,19})(?:-(\d{1,19}))?", part, re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last <= MAX_SEED or last - first >= MAX_SEEDS:
            raise argparse.ArgumentTypeError(f"expected seeds such as 0-4 or 0,3,7, got {text!r}")
        found += range(first, last + 1)
    if len(set(found)) < len(found) or len(found) > MAX_SEEDS:
        raise argparse.ArgumentTypeError(
            f"expected each seed once, and at most {MAX_SEEDS:,}, got {text!r}"
        )
    return tuple(found)


def varied(text: str) -> Varied:
    """Reads a varied flag and its values.

    Raises:
        argparse.ArgumentTypeError: there is no such flag, or it has no value.
    """
    typed_name, _, values = text.partition("=")
    name = typed_name.removeprefix("--").replace("-", "_")
    facts = Settings.declared().get(name)
    if facts is None or name in UNVARIED:
        hint = "; name the seeds with --seeds" if name == "seed" else ""
        raise argparse.ArgumentTypeError(f"there is no flag {flag(name)} to vary{hint}")
    parts = [each.strip() for each in values.split(",")]
    if not all(parts):
        raise argparse.ArgumentTypeError(f"expected values, as in {typed_name}=V1,V2, got {text!r}")
    if facts.kind in (SWITCH, ON_OFF):
        return Varied(name, tuple(switched(name, each) for each in parts))
    items = [[each] if facts.nargs is None else each.split() for each in parts]
    return Varied(name, tuple((flag(name), *each) for each in items))


def variant(text: str) -> tuple[str, ...]:
    """Reads the flags of a variant, which are split as a shell does.

    Raises:
        argparse.ArgumentTypeError: a quotation does not end.
    """
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error} in {text!r}") from error


def switched(name: str, value: str) -> tuple[str, ...]:
    """Returns the flags that switch a setting on or off."""
    if value not in ("on", "off"):
        raise argparse.ArgumentTypeError(f"{flag(name)} takes on and off, got {value!r}")
    if value == "on":
        return (flag(name),)
    return () if Settings.declared()[name].kind is SWITCH else (flag(f"no_{name}"),)


def count(text: str) -> int:
    """Reads a whole number from 1.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not re.fullmatch(r"0*[1-9]\d{0,5}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return int(text)
