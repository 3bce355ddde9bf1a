"""Draws whole command lines of task.py at random, with `hypothesis`.

Their values are good, at the edge of what is good, or bad, and may contradict each other.
"""

from itertools import chain
from typing import NamedTuple

from hypothesis import strategies as st

# The words after a flag.
Words = st.SearchStrategy[list[str]]

MAX_COUNT, MAX_EXAMPLES, MAX_SEED = 10**10, 10**8, 2**63 - 1
TOO_LONG = "x" * 300  # for a name in a file system
# What is in the folder from which the program is run, or is not.
FOLDER, FILE, NOWHERE = "data", "file", "no/such"
IMPOSSIBLE = (f"{FILE}/x", TOO_LONG)
TASKS = (
    *("dog", "id", "mnist", "perm", "noise", "fashion", "fashion-group", "cifar10", "cifar100"),
    *("cifar10:cat", "cifar10:9", "cifar10:*", "cifar100:fish"),
    *("omniglot", "omniglot:Greek", "omniglot:1", "omniglot:*"),
)
NO_TASKS = ("dgo", "ID", "", "cifar10:", "cifar10:10", "cifar10:-1", "cifar100:cat", "id:1")
NOT_NUMBERS = ("", "x", "nan", "inf", "0x10", "1__0", "½", "²", "1e999", "1" + "0" * 400)


class Flag(NamedTuple):
    """The values of a flag."""

    good: Words  # accepted, unless other flags contradict them
    bad: Words | None = None  # refused in every command line


def one_of(*texts: str) -> Words:
    """Draws one of these words."""
    return st.sampled_from([[text] for text in texts])


def some_of(words: Words, most: int) -> Words:
    """Draws such words once or more, in a row."""
    return st.lists(words, min_size=1, max_size=most).map(lambda drawn: list(chain(*drawn)))


def several(flag: Flag, most: int) -> Flag:
    """A flag with one or more such values."""
    good = some_of(flag.good, most)
    return Flag(good, st.tuples(good, flag.bad).map(lambda two: two[0] + two[1]))


def whole(least: int = 1, most: int = MAX_COUNT) -> Flag:
    """A flag with a whole number."""
    good = one_of(*map(str, range(least, least + 20)), str(most), "64", "１２", "1_6", "+9", " 8 ")
    outside = one_of(str(least - 1), str(most + 1))
    return Flag(good, outside | one_of("1.5", "1e3", "-1e3", "9" * 5_000, *NOT_NUMBERS))


def number(good: tuple[str, ...], bad: tuple[str, ...]) -> Flag:
    """A flag with a number."""
    return Flag(one_of(*good), one_of(*bad) | one_of(*NOT_NUMBERS))


def choice(*texts: str) -> Flag:
    """A flag with one of these words."""
    return Flag(one_of(*texts), one_of("", "x", texts[0].upper(), f"{texts[0]} "))


STACKS = ("fc", "conv fc", "fc fc", "conv conv fc fc", "encoder", "towers", "cross-stitch")
DEEPEST = ["conv"] * 49 + ["fc"]
BREEDS = st.lists(st.sampled_from("abcdefghijkl"), min_size=2, max_size=10, unique=True)
MIXING = one_of("0", "1", "-0.5", "-1e-05", "3e38")
SWITCH = Flag(st.just([]))
FLAGS = {
    "--tasks": several(Flag(one_of(*TASKS), one_of(*NO_TASKS)), 2),
    "--schedule": choice("cycle", "random", "joint"),
    "--task-time": whole(),
    "--task-weights": several(number(("0", "1", "2.5", "1e-320", "1e300"), ("-1", "-1e-9")), 2),
    "--joint-loss": choice("mean", "sum"),
    "--max-steps": whole(),
    "--epochs": whole(),
    "--input-style": choice("combined", "channelplex"),
    "--image-size": whole(8, 16_384),
    "--standardize": SWITCH,
    "--network": Flag(
        st.sampled_from([*map(str.split, STACKS), ["mobilenetv2"], ["resnet50"], DEEPEST]),
        st.sampled_from([["pool", "fc"], ["conv fc"], [""], ["fc", "conv"], ["conv", *DEEPEST]]),
    ),
    "--heads": choice("shared", "multi"),
    "--filters": several(whole(), 3),
    "--hidden-units": whole(),
    "--norm": choice("batch", "lrn", "none"),
    "--dropout": number(("1", "0.5", "1e-16", "1.0"), ("0", "-1", "1.5", "1e-17", "0.0")),
    "--stitch-init": Flag(
        st.tuples(MIXING, MIXING).map(lambda two: two[0] + two[1]),
        st.sampled_from([["1"], ["1", "1e39"]]),
    ),
    "--weights": Flag(one_of("none", "imagenet", FILE), one_of(FOLDER, NOWHERE, "", TOO_LONG)),
    "--freeze-backbone": SWITCH,
    "--optimizer": choice("sgd", "adam"),
    "--learning-rate": number(("0.1", "3e38", "2e-38", "１.５"), ("0", "-1", "1e-38", "1e39")),
    "--batch": whole(1, MAX_EXAMPLES),
    "--l2": number(("0", "1e-4", "-0.0", "1e-50", "3e38"), ("-1", "1e39", "-1e-9")),
    "--seed": whole(0, MAX_SEED),
    # --fake-data accepts folders that do not exist.
    "--data-dir": Flag(one_of(FOLDER, ".", "", NOWHERE, FILE, *IMPOSSIBLE)),
    "--data-dog-dir": Flag(one_of(FOLDER, NOWHERE, FILE, *IMPOSSIBLE)),
    "--dog-breeds": Flag(BREEDS, st.sampled_from([["pug"], ["pug"] * 2, [*"abcdefghijk"]])),
    "--fake-data": SWITCH,
    "--pickle-file": Flag(one_of(FILE, NOWHERE, FOLDER, *IMPOSSIBLE)),
    "--use-pickle": SWITCH,
    "--gpu": SWITCH,
    "--no-gpu": SWITCH,
    "--threads": whole(1, 1_024),
    "--precision": choice("float32", "bfloat16"),
    "--xla": SWITCH,
    "--log-dir": Flag(one_of("log", NOWHERE, FOLDER, ""), one_of(FILE, *IMPOSSIBLE)),
    "--test-frequency": whole(),
    "--test-at-switches": SWITCH,
    "--no-test-at-switches": SWITCH,
    "--train-summary-frequency": whole(),
    "--checkpoint-frequency": whole(),
    "--trace": SWITCH,
    "--train-metadata-frequency": whole(),
    "--quiet": SWITCH,
}

# Flags that have to do with each other.
THEMES = (
    ("--tasks", "--heads", "--network"),
    ("--tasks", "--fake-data", "--data-dir", "--dog-breeds", "--pickle-file"),
    ("--tasks", "--schedule", "--task-time", "--task-weights", "--joint-loss", "--max-steps"),
    ("--network", "--filters", "--hidden-units", "--norm", "--batch", "--image-size"),
    ("--network", "--weights", "--freeze-backbone", "--image-size", "--input-style"),
    ("--network", "--weights", "--standardize", "--image-size", "--stitch-init", "--dropout"),
)

BACKBONE = ["--network", "resnet50", "--image-size", "32"]
PRETRAINED = [*BACKBONE, "--weights", "imagenet"]
# Without these a flag is hardly ever accepted, or refused.
COMPANIONS = {
    "--task-weights": ["--tasks", "id", "--schedule", "random"],
    "--joint-loss": ["--schedule", "joint"],
    "--filters": ["--network", "conv", "conv", "fc"],
    "--hidden-units": ["--network", "fc", "fc"],
    "--stitch-init": ["--network", "cross-stitch"],
    **{"--weights": BACKBONE, "--freeze-backbone": BACKBONE},
    **{"--standardize": PRETRAINED, "--input-style": PRETRAINED},
}


@st.composite
def command_lines(draw: st.DrawFn, flag: str, flawed: bool = False) -> list[str]:
    """Draws a command line with this flag among others, in any order, some of them twice.

    If `flawed`, the flag stands there once, with a bad value.
    """
    theme = draw(st.sampled_from([theme for theme in THEMES if flag in theme] or THEMES))
    others = st.lists(st.sampled_from(theme) | st.sampled_from(list(FLAGS)), max_size=4)
    names = [flag, *(other for other in draw(others) if other != flag or not flawed)]
    arguments = []
    for each in draw(st.permutations(names)):
        words = draw(FLAGS[each].bad if flawed and each == flag else FLAGS[each].good)
        joined = len(words) == 1 and draw(st.booleans())
        arguments += [f"{each}={words[0]}"] if joined else [each, *words]
    companions = COMPANIONS.get(flag, [])
    return arguments + draw(st.sampled_from([companions, companions, []]))
