"""What a successor is told ages, and of several copies the latest counts."""

from __future__ import annotations

from typing import Any

from actors.breaker.kept import Kept, KeptLease, newest
from actors.breaker.messages import Cause
from actors.breaker.published import Published, State
from tests.unit.breaker.scene import fast

CAUSE = Cause(kind="tripped", detail="too many failed")


def _lease(permit: int, left_s: float) -> KeptLease:
    return KeptLease(permit=permit, holder="p", request=permit, generation=1, left_s=left_s)


def _kept(state: State = "open", generation: int = 5, *, wait_s: float = 0.0, step: int = 0, **more: Any) -> Kept:
    published = Published(state=state, generation=generation, wait_s=wait_s, step=step)
    return Kept(published=published, settings=fast(), **more)


def test_waits_and_leases_run_on_while_nobody_owns_it() -> None:
    kept = _kept(wait_s=5.0, leases=(_lease(1, 3.0), _lease(2, 4.0)), opened_ago_s=1.0).aged(3.0)
    assert (kept.published.wait_s, kept.leases, kept.opened_ago_s) == (2.0, (_lease(2, 1.0),), 4.0)
    assert kept.aged(99.0).published.wait_s == 0.0


def test_time_that_ran_backwards_is_none() -> None:
    kept = _kept(wait_s=5.0, leases=(_lease(1, 3.0),))
    assert kept.aged(-100.0) == kept


def test_of_copies_the_latest_generation_counts_with_all_leases_that_anybody_knows() -> None:
    old = _kept("closed", 4, leases=(_lease(1, 2.0),), opened_by=CAUSE)
    new = _kept("open", 5, wait_s=4.0, leases=(_lease(2, 3.0),))
    found = newest([new, old])
    assert found is not None
    assert (found.published, found.leases, found.opened_by) == (new.published, (_lease(2, 3.0), _lease(1, 2.0)), None)
    assert newest([]) is None


def test_of_copies_of_one_state_the_furthest_counts_and_what_any_knows_of_its_cause() -> None:
    late, early = _kept(wait_s=4.0), _kept(wait_s=3.0, opened_by=CAUSE, opened_ago_s=2.0, overridden_by=CAUSE)
    found = newest([late, early, late])
    assert found is not None
    assert (found.published.wait_s, found.opened_by, found.opened_ago_s) == (3.0, CAUSE, 2.0)
    assert found.overridden_by == CAUSE
    steps = newest([_kept("ramping", step=2), _kept("ramping", step=1)])
    assert steps is not None
    assert steps.published.step == 2
