"""A name is a short printable text that no glob is made of; another is refused with every reason."""

from __future__ import annotations

import pytest

from actors.breaker.names import NAME_BYTES_MAX, checked_name
from actors.runtime.errors import ConfigError


@pytest.mark.parametrize("name", ["payments", "eu/api.example.com:443", "Zahlungen (für Öl)", "x" * NAME_BYTES_MAX])
def test_texts_that_people_write_are_names(name: str):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        (" payments", "space"),
        ("pay\nments", "control"),
        ("pay\x00ments", "control"),
        ("pay\u202ements", "unprintable"),
        ("pay*", "command line"),
        ("x" * (NAME_BYTES_MAX + 1), "shorten it"),
        ("ö" * NAME_BYTES_MAX, "bytes"),
        ("\ud800", "unprintable"),
        (7, "not int"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason(name: object, problem: str):
    with pytest.raises(ConfigError, match="breaker name") as refused:
        checked_name(name)
    assert problem in str(refused.value)


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(ConfigError) as refused:
        checked_name(" *\n" + "x" * NAME_BYTES_MAX)
    assert len(refused.value.problems) == 4
