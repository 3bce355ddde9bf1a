"""Imports go down one ladder, so that a package can be read without those above it."""

import ast

from tests.support.command import ROOT

LADDER = "errors command program files,escaping settings data tasks,networks model runs "
LADDER += "training,reports task,evaluate,report sweeps sweep benchmarks tests"
RUNG = {name: i for i, names in enumerate(LADDER.split()) for name in names.split(",")}


def test_imports_go_down_the_ladder():
    files = [*ROOT.glob("*.py"), *ROOT.glob("[!.]*/**/*.py")]
    tops = {path: path.relative_to(ROOT).parts[0].removesuffix(".py") for path in files}
    assert set(tops.values()) == RUNG.keys()
    for path, top in tops.items():
        for node in ast.walk(ast.parse(path.read_bytes())):
            for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
                name = (getattr(node, "module", None) or alias.name).partition(".")[0]
                assert RUNG.get(name, -1) < RUNG[top] or name == top, f"{path}, {node.lineno}"
