"""Signs of life while data is being made ready."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def with_progress(items: Iterable[Item], total: int, doing: str, quiet: bool) -> Iterator[Item]:
    """The items, with a progress bar on a terminal, and a line where the output is none."""
    console = Console()
    if not (quiet or console.is_terminal):
        print(f"{doing} {total:,} pictures", flush=True)
    yield from track(
        items,
        total=total,
        description=doing,
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
