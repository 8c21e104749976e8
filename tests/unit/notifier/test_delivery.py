"""What an answer means, and what of an address is hidden."""

from __future__ import annotations

import pytest

from actors.notifier.delivery import of_status, secrets_in, told


@pytest.mark.parametrize(
    ("status", "ok", "permanent"),
    [
        (200, True, False),
        (202, True, False),
        (301, False, True),
        (401, False, True),
        (404, False, True),
        (408, False, False),
        (429, False, False),
        (500, False, False),
        (503, False, False),
    ],
)
def test_only_what_may_pass_is_tried_again(status: int, ok: bool, permanent: bool):
    answer = of_status(status, reason="so", retry_after_s=7.0)
    assert (answer.ok, answer.permanent) == (ok, permanent)


def test_a_receiver_says_when():
    assert of_status(503, reason="busy", retry_after_s=7.0).retry_after_s == 7.0


def test_every_part_that_may_open_it_is_hidden_as_written_and_as_read():
    url = "mailto://me:p%40ss@example.org/T0KEN/abc?key=s3cr3t&no=1"
    words = told(f"could not reach {url}: me p@ss p%40ss T0KEN s3cr3t envval 1", secrets_in(url, ("envval",)))
    assert [part for part in ("p@ss", "p%40ss", "T0KEN", "s3cr3t", "envval") if part in words] == []
    assert words.endswith("1")


def test_an_address_that_is_none_is_hidden_whole():
    assert told("no such http://[bad/tok", secrets_in("http://[bad/tok")) == "no such ***"


def test_what_is_told_is_one_line():
    assert told("a\nb\t c", ()) == "a b c"
