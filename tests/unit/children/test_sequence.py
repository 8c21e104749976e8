"""Numbers are given once, sent in order, and a gap is closed by the answers before it."""

from __future__ import annotations

from supervisor.children.call import Call
from supervisor.children.sequence import Sequence
from supervisor.children.settings import CALL_RETRY


def _sent(sequence: Sequence, count: int) -> list[Call]:
    calls = [Call("m", b"", (), CALL_RETRY) for _ in range(count)]
    for call in calls:
        sequence.admit(call)
        sequence.sent(call)
    return calls


def test_numbers_go_up_and_are_never_used_again() -> None:
    sequence = Sequence(3)
    first, second = _sent(sequence, 2)
    assert [first.number, second.number, sequence.settled] == [1, 2, 0]
    sequence.forget(second)
    assert (second.number, second.in_flight, second.unsure) == (0, False, False)
    assert _sent(sequence, 1)[0].number == 3
    assert [call.number for call in sequence] == [1, 3]


def test_everything_is_settled_when_nothing_is_open() -> None:
    sequence = Sequence(3)
    for call in _sent(sequence, 2):
        sequence.forget(call)
    assert (sequence.settled, len(sequence), sequence.get(1)) == (2, 0, None)


def test_the_window_bounds_what_is_open() -> None:
    sequence = Sequence(2)
    first, _ = _sent(sequence, 2)
    assert not sequence.has_room
    sequence.forget(first)
    assert sequence.has_room


def test_what_is_shelved_is_taken_once_in_order_unless_it_was_answered_meanwhile() -> None:
    sequence = Sequence(9)
    calls = _sent(sequence, 3)
    for call in (calls[2], calls[1], calls[0], calls[0]):
        sequence.shelve(call)
    sequence.forget(calls[1])
    assert sequence.take() is calls[0]
    sequence.sent(calls[0])
    assert sequence.take() is calls[2]
    assert sequence.take() is None


def test_behind_a_gap_nothing_follows_until_all_before_it_is_settled() -> None:
    sequence = Sequence(9)
    first, given_up, third = _sent(sequence, 3)
    sequence.begin_anew()
    for call in (first, third):
        sequence.shelve(call)
    sequence.forget(given_up)
    assert sequence.take() is first
    sequence.sent(first)
    assert sequence.take() is None
    assert not sequence.has_room
    sequence.forget(first)
    assert sequence.take() is third


def test_missing_are_those_that_were_sent_earlier_and_not_since() -> None:
    sequence = Sequence(9)
    calls = _sent(sequence, 4)
    sequence.sent(calls[1])
    sequence.forget(calls[2])
    assert sequence.missing(1, calls[3]) == [calls[0]]
    sequence.shelve(calls[0])
    assert sequence.missing(1, calls[3]) == []
