"""A call and the commands about it."""

from __future__ import annotations

from supervisor.children.call import Call, Sent
from supervisor.children.settings import CALL_RETRY


def test_calls_are_told_apart_by_what_they_are_not_by_what_they_hold() -> None:
    one, other = (Call("m", b"", (), CALL_RETRY) for _ in range(2))
    assert one != other
    assert len({one, other}) == 2


def test_a_sending_is_plain_data() -> None:
    assert Sent("child/c", 1, 2, 3) == ("child/c", 1, 2, 3)
