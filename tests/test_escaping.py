"""Text in Markdown that shows it as it is."""

import pytest
from hypothesis import example, given

from command import one_line, printable
from escaping import markdown, markdown_code
from tests.support.fuzzing import cases
from tests.support.names import FRAGMENTS, names
from tests.support.rendering import rendered, rendered_by_tensorboard

PLACES = {
    "paragraph": ("{}", {"p"}),
    "item": ("- {}", {"ul", "li"}),
    "cell": ("| a | b |\n|---|---|\n| {} | {} |", {"table", "thead", "tbody", "tr", "th", "td"}),
    "second line": ("text\n{}", {"p"}),
}


def check_shown(place: str, name: str) -> None:
    """Checks that Markdown with the name in it shows the name, and no other element."""
    text, tags = PLACES[place]
    page = rendered(text.replace("{}", markdown(name)))
    assert page.tags <= tags
    shown = one_line(name)
    assert page.text.count(shown) >= text.count("{}") or not shown
    count = len(page.text.replace("\n", "")) - text.count("{}") * len(shown)
    assert count == {"cell": 2, "second line": 4}.get(place, 0)
    assert rendered_by_tensorboard(text.replace("{}", markdown(name))).tags <= tags


@pytest.mark.parametrize("place", PLACES)
def test_markdown_shows_a_text_as_it_is(place: str) -> None:
    for name in FRAGMENTS:
        check_shown(place, name)


@pytest.mark.parametrize("place", PLACES)
@cases(60)
@given(name=names())
def test_markdown_shows_any_text_as_it_is(place: str, name: str) -> None:
    check_shown(place, name)


@cases(100)
@given(name=names())
@example("`")
@example(" a ")
@example("a`` ` b")
def test_code_shows_any_text_as_it_is(name: str) -> None:
    page = rendered(f"- text {markdown_code(name or 'x')} text")
    assert page.tags == {"ul", "li", "code"}
    assert page.text.strip("\n") == f"text {printable(name or 'x')} text"


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("cifar100:large_man-made_outdoor_things", "dog id, l2 0.5", "-6.25", "0.30 ± 0.1"):
        assert markdown(name) == name


def test_bare_addresses_become_no_links() -> None:
    assert "://" not in markdown("https://e.example") and "www." not in markdown("WWW.e.example")
