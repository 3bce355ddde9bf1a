"""The manual's page of flags: `python -m settings.manual > docs/flags.md`."""

from settings import flag
from settings.parser import described, sections
from settings.setting import Setting, settings_of
from settings.values import ON_OFF

HEADING = """# Flags of task.py

This page is written by `python -m settings.manual > docs/flags.md`. Flags marked *r* may change
when a run is resumed.
"""


def page() -> str:
    """Returns the page in Markdown: a table for each section of the settings."""
    tables = [
        "\n".join(
            [
                f"## {section.title[0].upper()}{section.title[1:]}\n",
                "| flag | |",
                "|---|---|",
                *(row(name, facts) for name, facts in settings_of(section).items()),
            ]
        )
        for section in sections()
    ]
    return "\n\n".join([HEADING.rstrip(), *tables]) + "\n"


def row(name: str, facts: Setting) -> str:
    """Returns the row of a flag in its table."""
    words = " ".join(facts.metavars or ()) or facts.kind.metavar or "\\|".join(facts.kind.choices)
    several = " …" if facts.nargs == "+" else ""
    off = f", `--no-{flag(name)[2:]}`" if facts.kind is ON_OFF else ""
    mark = " *r*" if facts.resumable else ""
    argument = f" {words}{several}" if words else ""
    return f"| `{flag(name)}{argument}`{off}{mark} | {described(facts)} |"


if __name__ == "__main__":
    print(page(), end="")
