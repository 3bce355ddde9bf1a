"""Whether somebody watches the output, or a file or another program takes it."""

import os
import sys


def is_terminal() -> bool:
    """Whether standard output is a terminal on which a bar can be redrawn.

    The one answer for all that is shown: rich's own would change with variables such as FORCE_COLOR
    and put control characters into files.
    """
    return sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
