"""The example for notebooks, run as it stands."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from tests.support.command import ROOT


def test_the_example_runs_in_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    text = (ROOT / "docs" / "notebook.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    with redirect_stdout(StringIO()) as output:
        for block in blocks:
            exec(block, names)
    names["plt"].close("all")
    assert len(blocks) == 4 and len(names["runs"]) == 2
    assert output.getvalue().splitlines()[-1].startswith("task time 20 in place of 10: final ")
