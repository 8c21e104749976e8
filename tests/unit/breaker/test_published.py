"""What is laid on the board comes back as it was, or is refused."""

from __future__ import annotations

import pytest

from actors.breaker.published import CODES, STATES, Published, State


@pytest.mark.parametrize("state", STATES)
def test_it_comes_back_from_its_octets(state: State) -> None:
    published = Published(
        state=state,
        generation=(7 << 32) + 9,
        share=0.25,
        wait_s=4.5,
        openings=3,
        step=1,
        rules=2,
    )
    assert Published.unpack(published.pack()) == published
    assert (published.code, published.incarnation) == (CODES[published.state], 7)


@pytest.mark.parametrize("octets", [b"", b"short", b"\x63" + Published(state="open", generation=1).pack()[1:]])
def test_other_octets_are_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match="no breaker state of this version"):
        Published.unpack(octets)
