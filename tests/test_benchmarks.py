"""The benchmarks, at tiny size and only to see that they work: nothing here depends on time."""

import re

from benchmarks import joint


def test_joint(capsys):
    assert joint.main(["--batch", "2", "--steps", "1", "--repeats", "2"]) == 0
    output = capsys.readouterr().out
    assert re.search(r"^one task +\d+\.\d\d \(\d+\.\d\d to \d+\.\d\d\) ms a step$", output, re.M)
    assert re.search(r"^ten tasks +\d+\.\d\d", output, re.M)
    assert re.search(r"^ratio +\d+\.\d\d", output, re.M)
