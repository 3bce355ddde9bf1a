from pathlib import Path

import pytest

from reports.content import Cell, Table
from reports.latex import latex, table_in_latex
from tests.support.latex import check_latex, compiled
from tests.support.names import FRAGMENTS
from tests.support.run_folders import make_groups, overview


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b & 5 % #1 {x} $y$", r"a\_b \& 5 \% \#1 \{x\} \$y\$"),
        (
            "\\~^<>|",
            r"\textbackslash{}\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}"
            r"\textbar{}",
        ),
        ("é ü Å ñ ç ő", r"\'{e} \"{u} \r{A} \~{n} \c{c} \H{o}"),
        ("狗\u202e", "U+72D7\\textbackslash{}u202e"),
        ("50.00 ± 14.14 – Δ", r"50.00 $\pm$ 14.14 \textendash{} $\Delta$"),
        ("a--b---c ``d'' ?`", "a-{}-b-{}-{}-c `{}`d'{}' ?{}`"),
        ("two\nlines", "two lines"),
    ],
)
def test_text_is_shown_as_it_is(text: str, expected: str) -> None:
    assert latex(text) == expected


def test_the_best_are_bold_and_a_negative_number_has_a_minus(tmp_path: Path) -> None:
    groups = make_groups(
        tmp_path,
        *(
            {"accuracies": [[0.1, 0.1], [0.5, share]], "batch": int(10 * share)}
            for share in (0.7, 0.9)
        ),
    )
    text = table_in_latex(overview(groups))
    assert (
        "batch 7 & 1 & 100 & 60.00 & " in text and "batch 9 & 1 & 100 & \\textbf{70.00} & " in text
    )
    check_latex(text)
    table = Table(["runs", "Δ, %"], [[Cell("a-b"), Cell("-1.00 ± 2.00", -1.0)]])
    assert "a-b & $-$1.00 $\\pm$ 2.00 " in table_in_latex(table)


def test_a_table_of_all_names_compiles(tmp_path: Path) -> None:
    rows = [[Cell(name), Cell("1.00 ± 2.00", 1.0, best=True)] for name in FRAGMENTS]
    text = table_in_latex(Table(["runs", "accuracy, %"], rows))
    check_latex(text)
    result = compiled(text, tmp_path)
    if result is None:
        pytest.skip("no LaTeX: install Debian's texlive-latex-recommended")
    assert result.returncode == 0, result.stdout[-2000:]
    assert (tmp_path / "document.pdf").stat().st_size > 0
