"""A report as Markdown."""

from escaping import markdown, markdown_code
from reports.content import Bullets, Cell, Code, Heading, Line, Picture, Report, Table, plain_words


def report_in_markdown(report: Report) -> str:
    """Returns the text of `report.md`, which belongs beside its figures as PNG."""
    parts = [f"# {markdown(report.title)}"]
    parts += [f"**{report.warning}**"] if report.warning else []
    return "\n\n".join([*parts, *map(part_in_markdown, report.parts)]) + "\n"


def part_in_markdown(part: Heading | Bullets | Table | Picture) -> str:
    """Returns a part of a report as Markdown."""
    match part:
        case Heading(text):
            return f"## {markdown(text)}"
        case Bullets(items):
            return "\n".join(f"- {line_in_markdown(item)}" for item in items)
        case Picture(name):
            return f"![{plain_words(name)}]({name}.png)"
        case Table():
            return table_in_markdown(part)


def line_in_markdown(line: Line) -> str:
    """Returns text in pieces as Markdown in one line."""
    return "".join(
        markdown_code(piece) if isinstance(piece, Code) else spaced(piece) for piece in line
    )


def spaced(piece: str) -> str:
    """Returns text as Markdown, with a space wherever it begins or ends with one."""
    return " " * piece[:1].isspace() + markdown(piece) + " " * piece[-1:].isspace()


def table_in_markdown(table: Table) -> str:
    """Returns a table whose columns are aligned as plain text too."""
    cells = [list(map(markdown, table.headings))]
    cells += [list(map(cell_in_markdown, row)) for row in table.rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    sides = ["<" if column < table.text_columns else ">" for column in range(len(widths))]
    rules = [
        "-" * width if side == "<" else "-" * (width - 1) + ":"
        for side, width in zip(sides, widths, strict=True)
    ]
    lines = [
        [f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)]
        for row in (cells[0], rules, *cells[1:])
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell_in_markdown(cell: Cell) -> str:
    """Returns a cell as Markdown, in bold if it is the best."""
    text = markdown(cell.text)
    return f"**{text}**" if cell.best else text
