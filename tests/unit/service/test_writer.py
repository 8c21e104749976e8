"""What an owner has written is read as it was."""

from __future__ import annotations

from actors.service.writer import as_octets, as_text


def test_octets_are_read_as_they_were() -> None:
    octets = bytes(range(256))
    assert as_octets(as_text(octets)) == octets
    assert as_text(b"a") == "YQ=="
