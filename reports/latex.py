"""A table as LaTeX, of ASCII alone, so that any LaTeX can compile it."""

import re
import unicodedata
from collections.abc import Iterable

from command import one_line
from reports.content import Cell, Table

HEADER = "% Needs \\usepackage{booktabs}. It is wide: put it into a table* or a sidewaystable."
SPECIAL = {each: f"\\{each}" for each in "&%$#_{}"} | {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "\\textquotedblright{}",
    "[": "{[}",  # no option of the end of the line before it
    "*": "{*}",
    "−": "$-$",
    "±": "$\\pm$",
    "Δ": "$\\Delta$",
    "–": "\\textendash{}",
    "…": "\\ldots{}",
}
LIGATURE = re.compile("([-'`,?!])(?=[-'`,])")
ACCENTS = {
    **{"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030a": "r"},
    **{"\u030c": "v", "\u0327": "c", "\u0304": "=", "\u0306": "u", "\u0307": ".", "\u030b": "H"},
}


def table_in_latex(table: Table) -> str:
    """Returns a tabular with rules of booktabs, and the best numbers in bold."""
    columns = "".join("l" if i < table.text_columns else "r" for i in range(len(table.headings)))
    lines = [
        HEADER,
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        row_in_latex(map(latex, table.headings)),
        "\\midrule",
        *(row_in_latex(map(cell_in_latex, row)) for row in table.rows),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def row_in_latex(cells: Iterable[str]) -> str:
    """Returns a row of cells that are LaTeX."""
    return " & ".join(cells) + " \\\\"


def cell_in_latex(cell: Cell) -> str:
    """Returns a cell as LaTeX, in bold if it is the best."""
    text = latex(cell.text if cell.number is None else cell.text.replace("-", "−"))
    return f"\\textbf{{{text}}}" if cell.best else text


def latex(text: str) -> str:
    """Returns LaTeX that shows the text as it is, in one line.

    Of letters with accents that is so; other characters that are not ASCII are shown by their
    numbers.
    """
    found = "".join(map(character, unicodedata.normalize("NFC", one_line(text))))
    return LIGATURE.sub(r"\1{}", found)


def character(each: str) -> str:
    """Returns LaTeX that shows a character."""
    if each in SPECIAL:
        return SPECIAL[each]
    if each.isascii():
        return each
    base, *accents = unicodedata.normalize("NFD", each)
    if base.isascii() and base.isalpha() and len(accents) == 1 and accents[0] in ACCENTS:
        return f"\\{ACCENTS[accents[0]]}{{{base}}}"
    return f"U+{ord(each):04X}"
