"""Renders Markdown as HTML, and reads that."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown import markdown as render_for_tensorboard
from markdown_it import MarkdownIt

# As GitHub has it, with HTML. (Its links to bare addresses need a package of their own.)
GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@dataclass
class Page:
    """A page of HTML."""

    text: str = ""
    tags: set[str] = field(default_factory=set)
    images: set[str | None] = field(default_factory=set)


class Reader(HTMLParser):
    """Reads a page."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.page.tags.add(tag)
        if tag == "img":
            self.page.images.add(dict(attributes)["src"])

    def handle_data(self, data: str) -> None:
        self.page.text += data


def read_html(text: str) -> Page:
    """Reads HTML."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader.page


def rendered(text: str) -> Page:
    """Returns the page of a Markdown text."""
    return read_html(GITHUB.render(text))


def rendered_by_tensorboard(text: str) -> Page:
    """Returns the page of a Markdown text as TensorBoard renders it, before it removes HTML."""
    return read_html(render_for_tensorboard(text, extensions=["markdown.extensions.tables"]))
