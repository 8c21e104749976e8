"""What a call is told is a value: the same words are the same verdict, and nobody changes it on its way."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from actors.breaker.verdict import Admitted, Ask, Permit, Refused, Verdict


@pytest.mark.parametrize(
    ("verdict", "field"),
    [
        (Admitted(3), "ticket"),
        (Ask(3), "request"),
        (Refused(state="open", retry_after_s=1.0, by_itself=False), "owner_heard"),
        (Permit(number=-1, generation=2, ticket=3, expires_at=4.0), "number"),
    ],
)
def test_verdicts_are_values(verdict: Verdict, field: str):
    with pytest.raises(FrozenInstanceError):
        setattr(verdict, field, 0)
    assert len({Admitted(3), Admitted(3), verdict}) == (1 if verdict == Admitted(3) else 2)


def test_a_refusal_is_by_who_is_heard_unless_it_says_otherwise():
    assert Refused(state="half_open", retry_after_s=0.1, by_itself=True).owner_heard
