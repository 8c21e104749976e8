"""A verdict says no more than what was measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from experiments.checker import Submitted, check
from experiments.judging.facts import CallFact
from experiments.judging.ranks import Shift
from experiments.judging.verdict import EXIT_CODES, judge, may_start
from experiments.model.lasting import LASTS
from tests.unit.judging.scene import CALLS, FAULT, chaos, good, probe

LOST = check([Submitted("a")])
SLOW = Shift(p=1e-9, shift_s=0.5, superiority=0.9)


def test_exit_codes_are_a_contract() -> None:
    assert EXIT_CODES == {"held": 0, "deviated": 10, "inconclusive": 11, "aborted": 12, "not_started": 13}


def test_what_was_measured_and_held() -> None:
    verdict = judge(good(), chaos())
    assert (verdict.kind, verdict.exit_code) == ("held", 0)
    assert verdict.score == pytest.approx(96.7, abs=0.1)
    assert verdict.reasons[0].startswith("1 of 1 faults acted")


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({"probes": (probe("before", False),)}, "not_started", "before: whole does not hold"),
        ({"probes": (probe("before", None),)}, "not_started", "before: whole cannot be judged"),
        ({"faults": (replace(FAULT, evidence=""),)}, "inconclusive", "nothing but its injector"),
        ({"faults": ()}, "inconclusive", "no fault was injected"),
        ({"faults": (replace(FAULT, injected_at_s=None),)}, "inconclusive", "no fault was injected"),
        ({"calls": CALLS[:40]}, "inconclusive", "10 calls in the rounds of kind fault; 20 at least"),
        (
            {"calls": tuple(replace(call, ok=call.phase != "baseline") for call in CALLS)},
            "inconclusive",
            "calls without the fault failed, too: the load shows nothing",
        ),
        ({"checked": None}, "inconclusive", "no history"),
        ({"invariants_seen": False}, "inconclusive", "could not be read"),
        ({"probes": ()}, "inconclusive", "nothing was believed"),
        ({"probes": (probe("before"),)}, "inconclusive", "nothing was believed"),
        ({"probes": (probe("before"), probe("after", None))}, "inconclusive", "after: whole cannot be judged"),
        ({"probes": (probe("before"), probe("after", False))}, "deviated", "after: whole does not hold"),
        ({"faults": (replace(FAULT, loss="gone"),)}, "deviated", "0.1.worker/w0: gone"),
        ({"checked": LOST}, "deviated", "1 lost: a"),
        ({"broken": ("a breaker went astray",)}, "deviated", "astray"),
        ({"broken": ("x",), "faults": (replace(FAULT, evidence=""),)}, "deviated", "x"),
    ],
)
def test_one_thing_is_different(changed: dict[str, Any], kind: str, words: str) -> None:
    verdict = judge(good(**changed), chaos())
    assert verdict.kind == kind
    assert words in verdict.reasons[0]


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({"acknowledged": 40, "forgotten": ()}, "held", "1 of 1 faults acted"),
        ({"acknowledged": 40, "forgotten": ("a", "b")}, "deviated", "2 of 40 durable calls that were acknowledged are"),
        ({"acknowledged": 40, "forgotten": None}, "inconclusive", "could not be asked for"),
        ({"acknowledged": 3, "forgotten": ()}, "inconclusive", "3 durable calls were acknowledged; 20 at least"),
        ({}, "inconclusive", "0 durable calls were acknowledged"),
    ],
)
def test_durable_work_that_was_acknowledged_is_judged(changed: dict[str, Any], kind: str, words: str) -> None:
    verdict = judge(good(**changed), chaos(load={"durable_per_s": 20}))
    assert verdict.kind == kind
    assert words in verdict.reasons[0]
    if kind == "held":
        assert "40 durable calls acknowledged, none lost; 0 refused" in verdict.reasons


@pytest.mark.parametrize(
    ("limits", "changed", "words"),
    [
        ({"detect_s": 0.01}, {}, "time to detect is 0.02 s, and its limit 0.01"),
        ({"recover_s": 0.5}, {}, "time to recover is 1 s"),
        ({"recover_s": 0.5}, {"faults": (replace(FAULT, recovered_at_s=None, loss=""),)}, "was never reached"),
        ({"error_share": 0}, {"calls": (*CALLS, CallFact(0, 1, False, "fault"))}, "share of failed tasks is 0.0164"),
        (
            {"budget": 1, "objective": 0.99},
            {"calls": (*CALLS, CallFact(0, 1, False, "fault"))},
            "share of the error budget",
        ),
        ({"latency_shift_s": 0.1}, {"shift": SLOW}, "shift of the median latency is 0.5 s"),
    ],
)
def test_limits(limits: dict[str, Any], changed: dict[str, Any], words: str) -> None:
    verdict = judge(good(**changed), chaos(limits=limits))
    assert verdict.kind == "deviated"
    assert words in verdict.reasons[0]


def test_what_chance_or_a_small_effect_does_is_no_shift() -> None:
    for shift in (replace(SLOW, p=0.2), replace(SLOW, shift_s=0.001)):
        limits = {"latency_shift_s": 0.0001}
        assert judge(good(shift=shift), chaos(limits=limits)).kind == "held"


def test_the_hypothesis_may_have_to_hold_meanwhile() -> None:
    seen = good(probes=(probe("before"), probe("during", False), probe("during", False), probe("after")))
    assert judge(seen, chaos()).kind == "held"
    verdict = judge(seen, chaos(during_must_hold=True))
    assert (verdict.kind, len(verdict.reasons)) == ("deviated", 1)


def test_what_had_to_hold_meanwhile_and_was_not_seen_to_is_not_concluded() -> None:
    """Neither held, because nobody looked, nor deviated, because nobody could tell."""
    must = chaos(during_must_hold=True)
    unseen = judge(good(probes=(probe("before"), probe("after"))), must)
    assert (unseen.kind, unseen.reasons[0]) == (
        "inconclusive",
        "it had to hold while the fault was on, and nobody looked meanwhile",
    )
    unjudged = (probe("before"), probe("during"), probe("during", None), probe("during", None), probe("after"))
    verdict = judge(good(probes=unjudged), must)
    assert (verdict.kind, verdict.reasons) == (
        "inconclusive",
        ("during: whole cannot be judged: 3, 3 is expected",),
    )
    assert judge(good(probes=unjudged), chaos()).kind == "held", "it may be broken meanwhile"
    assert judge(good(probes=(*unjudged, probe("during", False))), must).kind == "deviated", "that was seen"


def test_what_was_stopped_is_aborted_and_a_broken_invariant_is_told_with_it() -> None:
    assert judge(good(), chaos(), stopped="halt").reasons == ("halt",)
    verdict = judge(good(checked=LOST), chaos(), stopped="halt")
    assert (verdict.kind, verdict.score, verdict.reasons) == ("aborted", 0.0, ("halt", "1 lost: a"))
    assert may_start(good()) is None


def test_a_score_only_when_everything_was_measured_and_none_for_a_broken_invariant() -> None:
    assert judge(good(shift=None), chaos()).score is None
    assert judge(good(probes=(probe("before"), probe("after"))), chaos()).score is None
    assert judge(good(checked=LOST), chaos()).score == 0.0
    worse = judge(good(shift=SLOW), chaos()).score
    best = judge(good(), chaos()).score
    assert worse is not None
    assert best is not None
    assert worse < best


def test_what_went_wrong_while_no_fault_acted_is_told_and_not_concluded() -> None:
    seen = good(faults=(replace(FAULT, evidence=""),), probes=(probe("before"), probe("after", False)))
    verdict = judge(seen, chaos())
    assert verdict.kind == "inconclusive"
    assert verdict.reasons[-1].startswith("not concluded from: after: whole")
    assert verdict.score is None


def test_what_lasts_as_long_as_the_cluster_is_told_and_deviates_from_nothing() -> None:
    lasting = replace(FAULT, fault="unavailable", target="rpc/cluster", undone_at_s=None, loss=LASTS, lasts=True)
    verdict = judge(good(faults=(lasting,), shift=None), chaos())
    assert (verdict.kind, verdict.score) == ("held", None)
    assert verdict.reasons[-1] == f"unavailable of rpc/cluster was on before the first round, and {LASTS}"
    limits = {"latency_shift_s": 1}
    verdict = judge(good(faults=(lasting,), shift=None), chaos(limits=limits, interleaving={"rounds": 2}))
    assert verdict.kind == "inconclusive"
    assert "no rounds without the fault" in verdict.reasons[0]
