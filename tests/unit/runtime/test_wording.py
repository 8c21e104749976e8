"""What people write is a line of text or refused; what programs say becomes one."""

from __future__ import annotations

import pytest

from actors.runtime.wording import in_one_line, line, line_problems, lines, unsaid_problems, visible


@pytest.mark.parametrize("text", ["", "a b", "größer 1 °C", "日本"])
def test_a_line_is_left_alone(text: str) -> None:
    assert (line(text), in_one_line(text), line_problems(reason=text)) == (text, text, ())
    lines((text, text))


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31mred", "a\x00", "a\u202eb"])
def test_what_could_tear_a_table_or_move_a_terminal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unprintable characters; take them away"):
        line(text)
    with pytest.raises(ValueError, match="unprintable characters; take them away"):
        lines(("fine", text))
    (problem,) = line_problems(who="ann", reason=text)
    assert problem.startswith(f"reason: {text!r} has line ends or other unprintable characters")


def test_what_a_program_said_is_shown_in_one_line() -> None:
    assert in_one_line("first\n  second\t third") == "first second third"
    assert in_one_line("\x1b[31mred\x07") == "\\x1b[31mred\\x07"
    assert in_one_line("a\u202eb\ud800") == "a\\u202eb\\ud800"


def test_line_ends_stay_where_there_is_room_for_them() -> None:
    assert visible("first\n\tsecond \x1b[2J") == "first\n\tsecond \\x1b[2J"


def test_what_has_to_be_said_is_there() -> None:
    assert unsaid_problems(reason="upgrade", who="ann") == ()
    assert unsaid_problems(reason=" ", who=None) == (
        "reason: ' ' is no text; say it in a line",
        "who: None is no text; say it in a line",
    )
    (problem,) = unsaid_problems(reason="a\nb")
    assert "has line ends" in problem
