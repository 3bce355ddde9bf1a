"""The content of a report, which `markdown.py` and `page.py` write as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Code(str):
    """A path or other text that is shown as code."""


# Text in pieces, of which those of the class Code are shown as code.
Line = tuple[str, ...]


class Cell(NamedTuple):
    """A cell of a table."""

    text: str
    number: float | None = None  # by which rows are sorted; None: by the text
    best: bool = False


@dataclass(frozen=True)
class Table:
    """A table: text in the first columns, numbers in those that follow."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    text_columns: int = 1


@dataclass(frozen=True)
class Heading:
    """A heading below the title."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: Sequence[Line]


@dataclass(frozen=True)
class Picture:
    """A figure, by the name of its files without their ending."""

    name: str


@dataclass(frozen=True)
class Report:
    """A report, from top to bottom."""

    title: str
    warning: str  # on drawn data; empty: there is none
    parts: Sequence[Heading | Bullets | Table | Picture]


def plain_words(name: str) -> str:
    """Returns the words in the name of a figure."""
    return name.replace("-", " ")
