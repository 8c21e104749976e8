"""Every fault is matched to its recovery, or to a stated loss."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.judging.facts import FaultFact, LogFact, StrikeFact
from experiments.judging.matching import match
from experiments.model.lasting import LASTS


def fault(**changed: Any) -> FaultFact:
    fields: dict[str, Any] = {"fault_id": "f", "fault": "crash", "target": "worker/w0", "injected_at_s": 1.0, **changed}
    return FaultFact(**fields)


def event(at_s: float, what: str, incarnation: int = 1, subject: str = "worker/w0") -> LogFact:
    return LogFact(event_id=f"children/{at_s:g}", at_s=at_s, subject=subject, event=what, incarnation=incarnation)


def one(events: list[LogFact], **changed: Any) -> FaultFact:
    (found,) = match([fault(**changed)], events)
    assert (found.recovered_at_s is None) == bool(found.loss), "one or the other"
    return found


def test_a_death_and_the_next_life() -> None:
    found = one([event(2.0, "ready", 2), event(1.2, "died"), event(0.5, "died"), event(1.1, "died", 1, "worker/w1")])
    assert (found.detected_by, found.detected_at_s) == ("children/1.2", 1.2)
    assert (found.recovered_by, found.recovered_at_s) == ("children/2", 2.0)


def test_the_same_life_is_no_recovery_from_its_death() -> None:
    assert "was not seen whole again" in one([event(1.2, "died"), event(1.3, "ready", 1)]).loss


@pytest.mark.parametrize(
    ("events", "changed", "loss"),
    [
        ([], {"injected_at_s": None}, "it was not injected"),
        ([], {}, "nothing in the log tells of it, and worker/w0 was not seen whole again"),
        ([event(1.2, "died")], {}, "died (children/1.2), and worker/w0 was not seen whole again"),
        ([event(1.2, "died"), event(1.5, "given_up")], {}, "worker/w0 was given_up (children/1.5)"),
        (
            [event(1.2, "died"), event(1.3, "ready", 2), event(1.5, "given_up", 2)],
            {},
            "worker/w0 was given_up (children/1.5)",
        ),
    ],
)
def test_losses_are_stated(events: list[LogFact], changed: dict[str, Any], loss: str) -> None:
    assert one(events, **changed).loss == loss


def test_who_was_given_up_and_taken_up_again_is_whole() -> None:
    events = [event(1.2, "died"), event(1.5, "given_up"), event(2.0, "ready", 2)]
    assert one(events).recovered_by == "children/2"


def test_what_nobody_had_to_mend_is_over_with_its_undo() -> None:
    found = one([], fault="latency", undone_at_s=4.0)
    assert (found.recovered_at_s, found.recovered_by, found.detected_by) == (4.0, "undone/f", "")


def test_a_death_is_not_over_with_its_undo_for_that_brings_nobody_back() -> None:
    assert one([], undone_at_s=4.0).loss == "nothing in the log tells of it, and worker/w0 was not seen whole again"
    assert one([event(2.0, "ready", 2)], undone_at_s=4.0).recovered_by == "children/2"
    assert one([], target="node/9b", undone_at_s=4.0).recovered_at_s == 4.0, "nobody lived there"


def test_a_breaker_that_opened_and_closed() -> None:
    events = [event(1.5, "opened", 0, "breaker/b"), event(3.0, "closed", 0, "breaker/b")]
    found = one(events, fault="error", target="breaker/b")
    assert (found.detect_s, found.recover_s) == (0.5, 2.0)


def test_a_dependency_is_watched_by_its_breaker() -> None:
    events = [event(1.5, "opened", 0, "breaker/b"), event(3.0, "closed", 0, "breaker/b")]
    down = fault(fault="unavailable", target="dependency/up", undone_at_s=2.5)
    (alone,) = match([down], events)
    assert (alone.detected_by, alone.recovered_at_s) == ("", 2.5)
    (watched,) = match([down], events, watched_by={"dependency/up": ("breaker/b",)})
    assert (watched.detect_s, watched.recover_s) == (0.5, 2.0)


def test_what_lasts_as_long_as_the_cluster_is_a_stated_loss() -> None:
    assert one([event(1.2, "ready", 2)], lasts=True, undone_at_s=2.0).loss == LASTS


# -- a crash that hits one life after the other ------------------------------------------------------------------------


def struck(*strikes: tuple[float, int]) -> dict[str, Any]:
    return {"strikes": tuple(StrikeFact(at_s=at_s, life=life) for at_s, life in strikes)}


TWO_LIVES = [event(1.2, "died", 1), event(2.0, "ready", 2), event(3.1, "died", 2)]


def test_the_first_recovery_is_not_that_of_the_last_crash() -> None:
    found = one(TWO_LIVES, **struck((1.0, 1), (3.0, 2)))
    assert found.loss == "hit 2 of 2: died (children/3.1), and worker/w0 was not seen whole again"
    assert [strike.recovered_by for strike in found.strikes] == ["children/2", ""]
    assert found.recover_s is None


def test_each_crash_has_a_recovery_of_its_own() -> None:
    found = one([*TWO_LIVES, event(6.0, "ready", 3)], **struck((1.0, 1), (3.0, 2)))
    assert [strike.recovered_by for strike in found.strikes] == ["children/2", "children/6"]
    assert (found.recovered_by, found.recovered_at_s) == ("children/6", 6.0)
    assert (found.detected_by, found.detect_s) == ("children/1.2", pytest.approx(0.2))
    assert found.recover_s == 3.0, "the longest"


def test_who_is_hit_again_before_it_was_whole_has_not_recovered_from_the_first() -> None:
    events = [event(1.2, "died", 1), event(1.5, "died", 2), event(2.0, "ready", 3)]
    found = one(events, **struck((1.0, 1), (1.4, 2)))
    assert found.loss == "hit 1 of 2: died (children/1.2), and worker/w0 was not seen whole again"
    assert found.strikes[1].recovered_by == "children/2"


def test_lives_tell_strikes_apart_where_the_log_is_late() -> None:
    """The second strike waits for a life, so that it may have begun before the first was seen."""
    events = [event(2.2, "died", 1), event(2.5, "ready", 2), event(2.6, "died", 2), event(3.0, "promoted", 3)]
    found = one(events, **struck((1.0, 1), (1.5, 2)))
    assert [strike.recovered_by for strike in found.strikes] == ["children/2.5", "children/3"]


def test_where_lives_are_not_known_times_tell_strikes_apart() -> None:
    assert one(TWO_LIVES, **struck((1.0, 0), (3.0, 0))).loss.startswith("hit 2 of 2")
    assert one([*TWO_LIVES, event(6.0, "ready", 3)], **struck((1.0, 0), (3.0, 0))).recovered_by == "children/6"


def test_one_that_is_given_up_at_the_last_crash_is_lost() -> None:
    events = [*TWO_LIVES, event(3.2, "given_up", 2)]
    assert one(events, **struck((1.0, 1), (3.0, 2))).loss == "hit 2 of 2: worker/w0 was given_up (children/3.2)"
