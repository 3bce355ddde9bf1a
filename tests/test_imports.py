"""Imports go down one ladder, so that a package can be read without those above it."""

import ast

from tests.support.command import ROOT

LADDER = (
    *("errors", "command", "settings", "data", "tasks networks", "model", "runs"),
    *("training reports", "task evaluate report", "benchmarks", "tests"),
)
RUNG = {name: rung for rung, names in enumerate(LADDER) for name in names.split()}


def test_imports_go_down_the_ladder():
    files = [(path.relative_to(ROOT), path) for path in ROOT.glob("[!.]*/**/*.py")]
    files += [(path.relative_to(ROOT).with_suffix(""), path) for path in ROOT.glob("*.py")]
    assert {name.parts[0] for name, _ in files} == RUNG.keys()
    for name, path in files:
        for node in ast.walk(ast.parse(path.read_bytes())):
            for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
                top = (getattr(node, "module", None) or alias.name).partition(".")[0]
                down = RUNG.get(top, -1) < RUNG[name.parts[0]]
                assert down or top == name.parts[0], f"{path}, line {node.lineno}: {top}"
