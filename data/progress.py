"""Signs of life while data is being made ready."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.progress import track

from command import is_terminal

Item = TypeVar("Item")


def with_progress(items: Iterable[Item], total: int, doing: str, quiet: bool) -> Iterator[Item]:
    """The items, with a progress bar on a terminal, and a line where the output is none."""
    if not (quiet or is_terminal()):
        print(f"{doing} {total:,} pictures", flush=True)
    yield from track(
        items,
        total=total,
        description=doing,
        transient=True,
        disable=quiet or not is_terminal(),
    )
