"""Secrets do not reach the log."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.scrub import TEXT_LIMIT, Scrubber


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("password=hunter2 and more", "password=*** and more"),
        ("PASSWD: hunter2", "PASSWD: ***"),
        ('{"api_key": "k-1", "a": 1}', '{"api_key": "***", "a": 1}'),
        ("my_token='t'; secret = s", "my_token='***'; secret = ***"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("authorization=basic Zm9v", "authorization=***"),
        ("postgres://me:hunter2@db/x", "postgres://me:***@db/x"),
        ("http://host:8080/path", "http://host:8080/path"),
        ("the tokens of a text", "the tokens of a text"),
    ],
)
def test_default_patterns_hide_the_secret_and_leave_the_rest(text: str, clean: str) -> None:
    assert Scrubber().clean(text) == clean


def test_a_pattern_without_a_group_hides_all_that_it_finds() -> None:
    assert Scrubber([r"\d{4}-\d{4}"]).clean("card 1234-5678 used") == "card *** used"


def test_a_pattern_whose_group_took_no_part_hides_all_that_it_finds() -> None:
    assert Scrubber([r"pin(=\d+)?!"]).clean("pin! pin=12!") == "*** pin***!"


def test_a_secret_at_the_cut_is_hidden_too() -> None:
    """Cut first, the rest of the password would stand at the end, unrecognised."""
    text = "x" * (TEXT_LIMIT - 20) + "http://me:hunter2-hunter2@db"
    clean = Scrubber().clean(text)
    assert "hunter" not in clean
    assert len(clean) <= TEXT_LIMIT


@given(st.lists(st.sampled_from(["token=a ", "text ", "://u:p@"]), max_size=2000))
def test_a_text_is_never_longer_than_the_limit(pieces: list[str]) -> None:
    assert len(Scrubber().clean("".join(pieces))) <= TEXT_LIMIT


def test_an_invalid_pattern_is_refused() -> None:
    with pytest.raises(re.error):
        Scrubber(["("])
