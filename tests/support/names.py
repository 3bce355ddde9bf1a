"""Names of tasks, classes and folders that a terminal, Markdown or XML would take for more."""

import os

from hypothesis import strategies as st

FRAGMENTS = (
    # Of terminals, and of lines.
    *(
        "\x1b[2J\x1b[31m",
        "\x1b]0;title\x07",
        "\x9b1A",
        "\r",
        "\n",
        "\x85",
        "\u2028",
        "\x00",
        "\x7f",
    ),
    # Unicode: text that runs the other way, no bytes of UTF-8, no characters, combined ones.
    *("\u202egnp.exe", "\u2066", "\ufeff", "\udcff", "\ud800", "\ufffe", "\U000e0041", "e\u0301"),
    *("ü", "狗", "🐕", "כלב"),
    # Of HTML and XML.
    *("<script>alert(1)</script>", '"><img src=x onerror=y>', "&lt;b&gt;", "&#27;", "]]>", "<!--"),
    # Of Markdown.
    *("![i](http://e.example/i.png)", "[l](javascript:a)", "<http://e.example>", "[l]: http://e"),
    *("https://e.example/a_b_", "www.e.example", "**b**", "_e_", "__b__", "~~s~~", "$x$", "`c`"),
    *(
        "``",
        "|",
        "||",
        "\\",
        "\\|",
        "\\`",
        "# h",
        "1. o",
        "12) o",
        "- l",
        "+ l",
        "> q",
        "---",
        "===",
    ),
    *("| a | b |", "|---|---|", "    i", "[ ] t", "[^1]", "snake_case_name", "_a", "a_"),
    # Of rich, and of matplotlib.
    *("[red]r[/red]", "[/]", "[link=http://e.example]l[/link]", ":dog:", "$\\frac{", "_legend"),
    # As long as a file's name may be.
    *("", " ", "x" * 255, "ü" * 127, "`" * 255, "|" * 255, "\x1b" * 255, "w " * 127),
)


def names() -> st.SearchStrategy[str]:
    """Draws names of up to 255 characters."""
    parts = st.one_of(st.sampled_from(FRAGMENTS), st.text(st.characters(), max_size=9))
    return st.lists(parts, min_size=1, max_size=5).map(lambda parts: "".join(parts)[:255])


def is_plain(text: str) -> bool:
    """Tells whether a text has no other control character than the ends of its lines."""
    return all(line.isprintable() for line in text.split("\n"))


def folder_name(name: str) -> str:
    """Returns what is nearest to the name and can be a folder's; surrogates become stray bytes."""
    encoded = name.replace("/", "_").replace("\0", "_").encode(errors="surrogatepass")
    decoded = os.fsdecode(encoded[:255])
    return "_" if decoded in ("", ".", "..") else decoded
