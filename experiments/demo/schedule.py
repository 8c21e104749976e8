"""What the upstream does to each request: a fixed function of (seed, key, request number). Pure.

A hash of the three picks the outcome, so the schedule needs no state and no order: whoever asks later, in another
process, gets the same answer. That is how a reported failure can be held against what the upstream really did.

Rejected: one seeded generator drawn from at each request. It depends on the order of arrival, which kills change.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

Kind = Literal["ok", "slow", "unavailable", "drop", "rejected"]

REJECTED_SHARE = 0.01
"""Of all keys: refused for good, each time they come."""

SLOW_SHARE = 0.12
UNAVAILABLE_SHARE = 0.08
DROP_SHARE = 0.08
"""Of the requests under the other keys; the rest is answered at once."""

SLOW_S_MIN = 0.05
SLOW_S_MAX = 0.40


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happens to one request.

    Attributes:
        kind: "ok" and "slow" answer; "unavailable" is a 503; "drop" closes the connection without an answer;
            "rejected" is a 422 and stays one.
        delay_s: How long the request waits before it is decided, seconds.
        applies: Whether it reaches the effect. Half of the drops do: the effect is there and its reply is lost.
    """

    kind: Kind
    delay_s: float
    applies: bool


def outcome(seed: int, key: str, request_number: int) -> Outcome:
    """What the upstream does to the `request_number`-th request (from 1) that arrives under `key`."""
    if _fraction(seed, key, 0, "rejected") < REJECTED_SHARE:
        return Outcome(kind="rejected", delay_s=0.0, applies=False)
    drawn = _fraction(seed, key, request_number, "kind")
    if drawn < DROP_SHARE:
        return Outcome(kind="drop", delay_s=0.0, applies=_fraction(seed, key, request_number, "reply") < 1 / 2)
    if drawn < DROP_SHARE + UNAVAILABLE_SHARE:
        return Outcome(kind="unavailable", delay_s=0.0, applies=False)
    if drawn < DROP_SHARE + UNAVAILABLE_SHARE + SLOW_SHARE:
        delay_s = SLOW_S_MIN + (SLOW_S_MAX - SLOW_S_MIN) * _fraction(seed, key, request_number, "delay")
        return Outcome(kind="slow", delay_s=delay_s, applies=True)
    return Outcome(kind="ok", delay_s=0.0, applies=True)


def _fraction(seed: int, key: str, request_number: int, question: str) -> float:
    """A number in [0, 1) that depends on nothing but its arguments; each question gets one of its own."""
    text = f"{seed}\0{key}\0{request_number}\0{question}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / 2**64
