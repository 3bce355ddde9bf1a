"""A report as one HTML file, with its figures in it, that loads nothing."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from command import printable
from reports.content import Bullets, Cell, Code, Heading, Line, Picture, Report, Table, plain_words

HERE = Path(__file__).parent


def report_in_html(report: Report, pictures: Mapping[str, bytes]) -> str:
    """Returns the text of `report.html`.

    Args:
        pictures: the figures as PNG, by name.
    """
    style, script = ((HERE / name).read_text("utf-8") for name in ("page.css", "page.js"))
    allowed = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # No name in a report can be a script that runs, and nothing is fetched.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    policy += f"script-src 'sha256-{allowed}'"
    title = text_in_html(report.title)
    warning = text_in_html(report.warning)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f"<title>{title}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            f"<h1>{title}</h1>",
            *([f'<p class="warning">{warning}</p>'] if warning else []),
            *(part_in_html(part, pictures) for part in report.parts),
            f"<script>{script}</script>",
            "</body>",
            "</html>\n",
        ]
    )


def part_in_html(part: Heading | Bullets | Table | Picture, pictures: Mapping[str, bytes]) -> str:
    """Returns a part of a report as HTML."""
    match part:
        case Heading(text):
            return f"<h2>{text_in_html(text)}</h2>"
        case Bullets(items):
            lines = [f"<li>{line_in_html(item)}</li>" for item in items]
            return "\n".join(["<ul>", *lines, "</ul>"])
        case Picture(name):
            data = b64encode(pictures[name]).decode()
            words = plain_words(name)
            image = f'<img alt="{words}" src="data:image/png;base64,{data}">'
            return scrolling(words, image)
        case Table():
            return scrolling("table", table_in_html(part))


def scrolling(label: str, contents: str) -> str:
    """Returns a box in which wide contents can be scrolled, also by keyboard."""
    return f'<div class="scroll" role="region" aria-label="{label}" tabindex="0">{contents}</div>'


def table_in_html(table: Table) -> str:
    """Returns a table, whose cells tell the script by which numbers they are sorted."""

    def row(tag: str, cells: Sequence[Cell]) -> str:
        contents = [
            cell_in_html(tag, cell, index < table.text_columns) for index, cell in enumerate(cells)
        ]
        return f"<tr>{''.join(contents)}</tr>"

    headings = row("th", [Cell(heading) for heading in table.headings])
    rows = [row("td", cells) for cells in table.rows]
    return "\n".join(
        ["<table>", f"<thead>{headings}</thead>", "<tbody>", *rows, "</tbody>", "</table>"]
    )


def cell_in_html(tag: str, cell: Cell, is_text: bool) -> str:
    """Returns a cell as HTML, in bold if it is the best."""
    text = text_in_html(cell.text)
    facts = ' class="text"' * is_text
    facts += ' scope="col"' if tag == "th" else ""
    facts += "" if cell.number is None else f' data-number="{cell.number!r}"'
    return f"<{tag}{facts}>{f'<strong>{text}</strong>' if cell.best else text}</{tag}>"


def line_in_html(line: Line) -> str:
    """Returns text in pieces as HTML."""
    return "".join(
        f"<code>{text_in_html(piece)}</code>" if isinstance(piece, Code) else text_in_html(piece)
        for piece in line
    )


def text_in_html(text: str) -> str:
    """Returns HTML that shows the text as it is."""
    return escape(printable(text))
