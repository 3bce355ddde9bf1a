"""Draws whole command lines of task.py's at random, with `hypothesis`.

Their values are right, at the edge of what is right, and wrong, and contradict each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

# What stands after a flag, and what that means to it.
Value = tuple[Sequence[str], object]
Values = st.SearchStrategy[Value]

BAD = object()  # the meaning of a text that the flag does not take, whatever the other flags are
MOST, MOST_EXAMPLES, LARGEST_SEED = 10_000_000_000, 100_000_000, 9_223_372_036_854_775_807
TOO_LONG = "x" * 300  # for a name in a file system
# What the folder has in it from which the program is run.
FOLDER, FILE, NOWHERE = "data", "file", "no/such"
IMPOSSIBLE = (f"{FILE}/x", TOO_LONG)
# The tasks whose images --fake-data draws; and of each name how many classes its tasks have.
DRAWN = ("dog", "id", "ref", "inv", "noise", "perm", "zero", "one")
CLASSES = {
    **{name: [10] for name in DRAWN},
    **{"fashion": [10], "fashion-group": [3], "cifar10": [10], "cifar100": [100]},
    **{"cifar10:cat": [2], "cifar10:9": [2], "cifar10:*": [2] * 10, "cifar100:fish": [5]},
    **{"omniglot": [5], "omniglot:Greek": [3], "omniglot:1": [2], "omniglot:*": [3, 2]},
}
NO_TASKS = ("dgo", "ID", "", "cifar10:", "cifar10:10", "cifar10:-1", "cifar100:cat", "id:1")
NO_NUMBERS = ("", "x", "nan", "inf", "0x10", "1__0", "½", "²", "1e999", "1" + "0" * 400)
BACKBONES, COLUMNS = ("mobilenetv2", "resnet50"), ("towers", "cross-stitch")
WHOLE = ("encoder", *COLUMNS, *BACKBONES)


@dataclass(frozen=True)
class Given:
    """A flag with its texts, and what they mean."""

    flag: str
    texts: Sequence[str]
    meaning: object
    joined: bool = False  # written --flag=text

    @property
    def arguments(self) -> list[str]:
        """As they are typed."""
        if self.joined and len(self.texts) == 1:
            return [f"{self.flag}={self.texts[0]}"]
        return [self.flag, *self.texts]


def literal(texts: Sequence[str]) -> Value:
    """Words that stand for themselves."""
    return texts, list(texts)


def one_of(spelled: dict[str, object]) -> Values:
    """One of these texts, with what it means."""
    return st.sampled_from([([text], meaning) for text, meaning in spelled.items()])


def words(*texts: str, most: int) -> Values:
    """One or more of these words."""
    return st.lists(st.sampled_from(texts), min_size=1, max_size=most).map(literal)


def whole(least: int = 1, most: int = MOST) -> tuple[Values, Values]:
    """Whole numbers that the flag takes, and others."""
    right = st.integers(least, least + 30) | st.sampled_from([least, most])
    wrong = st.integers(least - 9, least - 1) | st.sampled_from([most + 1, 10**400])
    texts = st.sampled_from([*NO_NUMBERS, "1.5", "1e3", "9" * 5_000])
    return (
        right.map(lambda number: ([str(number)], number))
        | one_of({"１２": 12, "1_6": 16, "+9": 9, " 8 ": 8, "64": 64}),
        (wrong.map(str) | texts).map(lambda text: ([text], BAD)),
    )


def real(right: tuple[str, ...], wrong: tuple[str, ...]) -> tuple[Values, Values]:
    """Numbers that the flag takes, and others."""
    bad = dict.fromkeys([*NO_NUMBERS, *wrong], BAD)
    return one_of({text: float(text) for text in right}), one_of(bad)


def several(values: tuple[Values, Values], most: int) -> tuple[Values, Values]:
    """One or more such values; in the second of the two at least one is wrong."""
    right, wrong = values

    def together(some: list[Value]) -> Value:
        meanings = [meaning for _, meaning in some]
        return [text for texts, _ in some for text in texts], BAD if BAD in meanings else meanings

    flawed = st.tuples(st.lists(right, max_size=1), wrong).map(lambda two: [*two[0], two[1]])
    return st.lists(right, min_size=1, max_size=most).map(together), flawed.map(together)


def choice(*texts: str) -> tuple[Values, Values]:
    """One of these words, and others."""
    bad = dict.fromkeys(["", "x", texts[0].upper(), texts[0] + " "], BAD)
    return one_of({text: text for text in texts}), one_of(bad)


def place(right: tuple[str, ...], wrong: tuple[str, ...]) -> tuple[Values, Values]:
    """Paths that the flag takes, and others, where other flags let it matter."""
    return one_of({text: text for text in right}), one_of({text: text for text in wrong})


STACKS = ("fc", "conv fc", "conv fc", "fc fc", "conv conv fc fc", *WHOLE, *WHOLE)
NETWORKS = (
    st.sampled_from(STACKS).map(str.split).map(literal) | words("conv", "fc", "fc", *WHOLE, most=4),
    st.sampled_from([(["pool", "fc"], BAD), (["conv fc"], BAD), ([""], BAD)])
    | st.sampled_from([["conv"] * 49 + ["fc"], ["conv"] * 50 + ["fc"]]).map(literal),
)
MIXING = ("0", "1", "-0.5", "3e38")
STITCH_INITS = (
    st.tuples(st.sampled_from(MIXING), st.sampled_from(MIXING)).map(literal),
    st.sampled_from([(["1"], BAD), (["1", "1e39"], BAD)]),
)
BREEDS = (
    st.lists(st.sampled_from("abcdefghijkl"), min_size=2, max_size=11, unique=True).map(literal),
    st.sampled_from([["pug"], ["pug", "pug"], list("abcdefghijk")]).map(literal),
)
SWITCH = (st.just(([], True)),) * 2
FLAGS: dict[str, tuple[Values, Values]] = {
    "--tasks": (words(*CLASSES, most=3), words(*NO_TASKS, most=2)),
    "--schedule": choice("cycle", "random", "random", "joint"),
    "--task-time": whole(),
    "--task-weights": several(real(("0", "1", "2.5", "1e-320", "1e300"), ("-1", "-0.5")), 2),
    "--max-steps": whole(),
    "--epochs": whole(),
    "--input-style": choice("combined", "channelplex"),
    "--image-size": whole(8, 16_384),
    "--standardize": SWITCH,
    "--network": NETWORKS,
    "--heads": choice("shared", "multi"),
    "--filters": several(whole(), 3),
    "--hidden-units": whole(),
    "--norm": choice("batch", "lrn", "none"),
    "--dropout": real(("1", "0.5", "1e-16", "1.0"), ("0", "-1", "1.5", "1e-17", "0.0")),
    "--stitch-init": STITCH_INITS,
    "--weights": place(("none", "imagenet", FILE), (FOLDER, NOWHERE, "", TOO_LONG)),
    "--freeze-backbone": SWITCH,
    "--optimizer": choice("sgd", "adam"),
    "--learning-rate": real(("0.1", "3e38", "2e-38", "１.５"), ("0", "-1", "1e-38", "1e39")),
    "--batch": whole(1, MOST_EXAMPLES),
    "--l2": real(("0", "1e-4", "-0.0", "1e-50", "3e38"), ("-1", "1e39", "-1e-9")),
    "--seed": whole(0, LARGEST_SEED),
    "--data-dir": place((FOLDER, ".", ""), (NOWHERE, FILE, *IMPOSSIBLE)),
    "--data-dog-dir": place((FOLDER,), (NOWHERE, FILE, *IMPOSSIBLE)),
    "--dog-breeds": BREEDS,
    "--fake-data": SWITCH,
    "--pickle-file": place((FILE, NOWHERE), (FOLDER, *IMPOSSIBLE)),
    "--use-pickle": SWITCH,
    "--gpu": SWITCH,
    "--no-gpu": SWITCH,
    "--threads": whole(1, 1_024),
    "--precision": choice("float32", "bfloat16"),
    "--xla": SWITCH,
    "--log-dir": place(("log", NOWHERE, FOLDER, ""), (FILE, *IMPOSSIBLE)),
    "--test-frequency": whole(),
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
    ("--tasks", "--schedule", "--task-time", "--task-weights", "--max-steps"),
    ("--network", "--filters", "--hidden-units", "--norm", "--batch", "--image-size"),
    ("--network", "--weights", "--freeze-backbone", "--image-size", "--input-style"),
    ("--network", "--weights", "--standardize", "--image-size", "--stitch-init", "--dropout"),
)


BACKBONE = [Given("--network", *literal(["resnet50"])), Given("--image-size", ["32"], 32)]
PRETRAINED = [*BACKBONE, Given("--weights", ["imagenet"], "imagenet")]
# Without which a flag is hardly ever accepted, or refused.
COMPANIONS = {
    "--task-weights": [
        Given("--tasks", *literal(["id"])),
        Given("--schedule", ["random"], "random"),
    ],
    "--filters": [Given("--network", *literal(["conv", "conv", "fc"]))],
    "--hidden-units": [Given("--network", *literal(["fc", "fc"]))],
    "--stitch-init": [Given("--network", *literal(["cross-stitch"]))],
    **{"--weights": BACKBONE, "--freeze-backbone": BACKBONE},
    **{"--standardize": PRETRAINED, "--input-style": PRETRAINED},
}


@st.composite
def command_lines(draw: st.DrawFn, flag: str, flawed: bool) -> list[Given]:
    """This flag among others, in any order, some of them twice; if `flawed`, with a wrong value."""
    theme = draw(st.sampled_from([theme for theme in THEMES if flag in theme] or THEMES))
    some, any_one = st.lists(st.sampled_from(theme), max_size=3), st.sampled_from(list(FLAGS))
    given = []
    for each in draw(st.permutations([flag, *draw(some), draw(any_one)])):
        wrong = flawed and each == flag and flag not in {before.flag for before in given}
        given.append(Given(each, *draw(FLAGS[each][wrong]), joined=draw(st.booleans())))
    return given + draw(st.sampled_from([COMPANIONS.get(flag, []), []]))
