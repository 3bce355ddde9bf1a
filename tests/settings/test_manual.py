"""The manual's page of flags."""

from settings.manual import page
from tests.support.command import ROOT


def test_the_page_of_flags_is_up_to_date():
    written = (ROOT / "docs" / "flags.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m settings.manual > docs/flags.md"
    assert len(written.encode()) <= 8 * 1024
