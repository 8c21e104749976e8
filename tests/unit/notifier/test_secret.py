"""Of an address only what opens nothing is shown."""

from __future__ import annotations

import pytest

from actors.notifier.secret import hide, masked


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.example.com/T00/B00/s3cret", "https://hooks.example.com/***"),
        ("https://user:s3cret@example.com:8443/x?token=s3cret", "https://example.com:8443/***"),
        ("http://alerts:9093", "http://alerts:9093"),
        ("http://alerts:9093/", "http://alerts:9093/"),
        ("https://example.com?token=s3cret", "https://example.com/***"),
        ("https://example.com/${TOKEN}", "https://example.com/${TOKEN}"),
        ("https://user:s3cret/more@example.com", "https://***"),
        ("slack://s3cret/T00/B00", "slack://***"),
        ("mailto://me:s3cret@example.com", "mailto://***"),
        ("mailto://me:${PASSWORD}@example.com", "mailto://${PASSWORD}/***"),
        ("tgram://${TOKEN}/${CHAT}", "tgram://${TOKEN}/${CHAT}"),
        ("${PAGER_URL}", "${PAGER_URL}"),
        ("s3cret", "***"),
        ("", ""),
    ],
)
def test_masked(url: str, shown: str) -> None:
    assert masked(url) == shown
    assert "s3cret" not in masked(url)


def test_what_a_library_repeats_is_hidden() -> None:
    assert hide("cannot reach slack://abc/def: abc", ("abc", "slack://abc/def", "")) == "cannot reach ***: ***"
