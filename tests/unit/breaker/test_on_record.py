"""What a person asks for is put on record in a line: words that cannot stand there are refused before all else."""

from __future__ import annotations

from typing import Any

import pytest

from actors.breaker.on_record import WORDS_MAX, checked_words
from actors.runtime.errors import ConfigError

UNFIT = [None, 3, b"bytes", "", "  ", "two\nlines", "a\0b", "\ud800", "x" * (WORDS_MAX + 1)]


@pytest.mark.parametrize("text", ["maintenance", "Größe, 検査", "x" * WORDS_MAX])
def test_a_line_of_text_can_stand_on_record(text: str):
    checked_words("reset", who=text, reason=text)


@pytest.mark.parametrize("text", UNFIT)
def test_what_is_no_line_of_text_is_refused_with_its_field_and_the_remedy(text: Any):
    with pytest.raises(ConfigError, match=r"request to force open a breaker: reason .*(;|; )\w"):
        checked_words("force_open", who="ann", reason=text)
    with pytest.raises(ConfigError, match=r"a breaker: who .*; \w"):
        checked_words("force_open", who=text, reason="drill")


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(ConfigError) as refused:
        checked_words("configure", who="", reason=None)
    assert len(refused.value.problems) == 2
