import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.text.plain_text import LONGEST, check_text, one_line, plain_lines


@pytest.mark.parametrize("text", ["", "café", "ኮፊ", "竹 林", "‏عربي", "a" * LONGEST, "1️⃣"])
def test_text_of_any_script_passes(text):
    check_text(text, "name")


@pytest.mark.parametrize(
    "character",
    ["\0", "\x1b", "\x7f", "\x9b", "\ud800", "\uffff", "\r", "\u2028", "\u202e", "\u2066"],
)
def test_what_is_more_than_text_is_named(character):
    with pytest.raises(ValueError, match=rf"name is plain text, .* U\+{ord(character):04X}$"):
        check_text(f"a{character}", "name", lines=True)


def test_lines_only_where_they_belong():
    check_text("one\n\ttwo", "limits", lines=True)
    with pytest.raises(ValueError, match=r"U\+0009 U\+000A"):
        check_text("one\n\ttwo", "name")


def test_a_flood():
    with pytest.raises(ValueError, match="expected at most 10000"):
        check_text("a" * (LONGEST + 1), "name")


@given(st.text())
def test_what_passes_fits_into_a_file_and_into_xml(text):
    try:
        check_text(text, "name")
    except ValueError:
        return
    text.encode()
    assert all(unicodedata.category(c) != "Cc" for c in text)


@given(st.text())
def test_one_line_is_what_a_terminal_may_show(text):
    assert one_line(text).isprintable()


def test_lines_keep_their_columns_and_nothing_else():
    assert plain_lines("a\tb\nc\x1b]0;x\x07\u202e\u2028d\r") == "a\tb\nc?]0;x???d?"
