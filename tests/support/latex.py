"""Checks of LaTeX, by a small reader of what a table holds, or by LaTeX itself."""

import re
import shutil
import subprocess
from pathlib import Path

# A control sequence, or a single character.
TOKEN = re.compile(r"\\\\|\\[A-Za-z]+|\\.|.", re.DOTALL)
COMMANDS = {"begin", "end", "toprule", "midrule", "bottomrule", "textbf", "pm", "Delta", "ldots"}
COMMANDS |= {f"text{name}" for name in ("backslash", "less", "greater", "bar", "endash")}
COMMANDS |= {f"text{name}" for name in ("asciitilde", "asciicircum", "quotedblright")}
COMMANDS |= set("rvcuH")  # accents
DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs}
\begin{document}
\input{table.tex}
\end{document}
"""


def check_latex(table: str) -> None:
    """Checks that a table is of ASCII, balanced, of known commands, and as wide in each row."""
    header, text = table.split("\n", 1)
    assert table.isascii() and header.startswith("%")
    depth, dollars, widths, width = 0, 0, set(), 1
    for token in TOKEN.findall(text):
        depth += (token == "{") - (token == "}")
        dollars += token == "$"
        width += token == "&"
        assert depth >= 0 and token not in ("%", "#", "~", "^", "_")
        assert not token[1:].isalpha() or token[0] != "\\" or token[1:] in COMMANDS, token
        if token == "\\\\":
            widths.add(width)
            width = 1
    assert depth == dollars % 2 == 0
    (columns,) = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", text)
    assert widths == {len(columns)}


def compiled(table: str, folder: Path) -> subprocess.CompletedProcess | None:
    """Compiles a document that holds the table; returns None without LaTeX."""
    if not shutil.which("pdflatex"):
        return None
    (folder / "table.tex").write_text(table)
    (folder / "document.tex").write_text(DOCUMENT)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)
