"""Names and other text from outside, escaped for the formats in which they are written.

For a terminal, or text within a figure, that is `command.one_line` or `command.printable`.
"""

import re
import unicodedata

from command import one_line, printable

MAX_FILE_NAME = 60  # characters of a text in a file's name

# What Markdown would take for more than text. An underscore within a word is none of it; names of
# tasks are full of them.
MARKUP = re.compile(
    r"""
    [\\`*\[\]|~$]                           # code, emphasis, links, cells, formulas
    | (?<![^\W_])_ | _(?![^\W_])
    | ^[#] | ^[-+=](?!\w) | ^\d{1,9}[.)](?=[ ]|$)  # headings, rules and lists
    """,
    re.VERBOSE,
)
ENTITIES = re.compile(r"[&<>] | :(?=//) | (?<=www)[.]", re.VERBOSE | re.IGNORECASE)  # tags, links


def markdown(text: str) -> str:
    """Returns Markdown that shows the text as it is, in one line, in a paragraph or a cell."""
    line = ENTITIES.sub(lambda match: f"&#{ord(match[0])};", one_line(text))
    return MARKUP.sub(lambda match: f"{match[0][:-1]}\\{match[0][-1]}", line)


def markdown_code(text: str) -> str:
    """Returns Markdown that shows the text as code, in one line, but not in a table's cell."""
    line = printable(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    space = " " if line.strip("` ") != line else ""  # which belongs to the fence
    return f"{fence}{space}{line}{space}{fence}"


def file_name(text: str) -> str:
    """Returns the text as a part of a file's name, of a-z, 0-9, dots and hyphens; it may be empty.

    Different texts may become equal.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9.]+", "-", plain)[:MAX_FILE_NAME].strip("-.")
