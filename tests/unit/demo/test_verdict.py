"""Each way to cheat is caught, and the honest run passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from experiments.demo.charge import PaymentRejected, UpstreamUnavailable
from experiments.demo.ledger import KeyReport, Report
from experiments.demo.verdict import Failed, Paid, Verdict, judge

if TYPE_CHECKING:
    from experiments.demo.schedule import Kind
    from experiments.demo.verdict import Ending

HONEST: dict[str, Ending] = {
    "paid": Paid("receipt-1"),
    "refused": Failed.of(PaymentRejected("refused", "card_declined")),
    "down": Failed.of(UpstreamUnavailable("down", "overloaded")),
    "cut": Failed.of(ConnectionResetError("connection reset")),
    "reply-lost": Failed.of(ConnectionResetError("connection reset")),
}


def book(*outcomes: Kind, effects: int = 0, receipt: str | None = None) -> KeyReport:
    return KeyReport(outcomes=list(outcomes), effects=effects, receipt=receipt)


def books() -> dict[str, KeyReport]:
    return {
        "paid": book("drop", "ok", effects=1, receipt="receipt-1"),
        "refused": book("rejected"),
        "down": book("drop", "unavailable"),
        "cut": book("unavailable", "drop"),
        "reply-lost": book("drop", effects=1, receipt="receipt-2"),
    }


def report(keys: dict[str, KeyReport], **totals: int) -> Report:
    found = Report(
        seed=7,
        requests=sum(len(each["outcomes"]) for each in keys.values()),
        effects=sum(each["effects"] for each in keys.values()),
        suppressed_duplicates=0,
        unavailable=0,
        dropped=0,
        slow=0,
        conflicts=0,
        rejected=[key for key, each in keys.items() if "rejected" in each["outcomes"]],
        keys=keys,
    )
    return {**found, **totals}  # type: ignore[typeddict-item]


def verdict_with(ending: Ending | None = None, *, key: str = "paid", entry: KeyReport | None = None) -> Verdict:
    """The honest run with one ending and one entry of the books exchanged."""
    endings = {**HONEST, key: ending} if ending is not None else HONEST
    keys = {**books(), key: entry} if entry is not None else books()
    return judge(submitted=HONEST, endings=endings, report=report(keys))


def test_an_honest_run_is_ok():
    verdict = verdict_with()
    assert verdict.ok
    assert verdict.problems == ()
    assert (verdict.accepted, verdict.succeeded, verdict.failed) == (5, 1, 4)


def test_a_key_without_an_end_is_lost():
    endings = {key: ending for key, ending in HONEST.items() if key != "cut"}
    verdict = judge(submitted=HONEST, endings=endings, report=report(books()))
    assert not verdict.ok
    assert verdict.lost == ("cut",)
    assert verdict.problems == ("cut was accepted and never ended",)


def test_a_key_with_two_effects_is_doubled():
    verdict = verdict_with(entry=book("ok", "ok", effects=2, receipt="receipt-1"))
    assert verdict.doubled == ("paid",)
    assert verdict.problems == ("paid was charged 2 times",)


def test_two_effects_count_even_behind_a_failure():
    verdict = verdict_with(key="reply-lost", entry=book("drop", "drop", effects=2, receipt="receipt-2"))
    assert verdict.doubled == ("reply-lost",)
    assert not verdict.ok


def test_two_effects_count_even_behind_a_lost_key():
    keys = {"gone": book("ok", "ok", effects=2, receipt="r")}
    verdict = judge(submitted=["gone"], endings={}, report=report(keys))
    assert (verdict.lost, verdict.doubled) == (("gone",), ("gone",))


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (book("unavailable"), "never charged"),
        (book("rejected"), "never charged"),
        (book("ok", effects=1, receipt="receipt-9"), "the upstream's is receipt-9"),
    ],
)
def test_a_success_without_its_effect_is_invented(entry: KeyReport, why: str):
    verdict = verdict_with(entry=entry)
    assert verdict.invented_successes == ("paid",)
    assert why in verdict.problems[0]


def test_a_success_that_never_reached_the_upstream_is_invented():
    verdict = judge(submitted=["k"], endings={"k": Paid("receipt-1")}, report=report({}))
    assert verdict.invented_successes == ("k",)


@pytest.mark.parametrize(
    ("error", "entry"),
    [
        (PaymentRejected("paid", "card_declined"), book("ok", effects=1, receipt="receipt-1")),
        (UpstreamUnavailable("paid", "overloaded"), book("unavailable", "ok", effects=1, receipt="receipt-1")),
        (UpstreamUnavailable("paid", "overloaded"), book("unavailable", "drop")),
        (ConnectionResetError("reset"), book("drop", "slow", effects=1, receipt="receipt-1")),
        (ConnectionRefusedError("refused"), book("unavailable")),
        (TimeoutError("timed out"), book("slow", effects=1, receipt="receipt-1")),
        (RuntimeError("the worker died"), book("drop")),
        (RuntimeError("the worker died"), book("rejected")),
    ],
)
def test_a_failure_that_the_upstream_did_not_cause_is_invented(error: Exception, entry: KeyReport):
    verdict = verdict_with(Failed.of(error), entry=entry)
    assert verdict.invented_failures == ("paid",)
    assert not verdict.ok


def test_a_failure_that_never_reached_the_upstream_is_invented():
    verdict = judge(submitted=["k"], endings={"k": HONEST["down"]}, report=report({}))
    assert verdict.invented_failures == ("k",)
    assert "never saw it" in verdict.problems[0]


def test_a_key_that_nobody_submitted_is_a_stranger():
    keys = {**books(), "extra": book("ok", effects=1, receipt="receipt-3")}
    verdict = judge(submitted=HONEST, endings=HONEST, report=report(keys))
    assert verdict.strangers == ("extra",)
    assert not verdict.ok


@pytest.mark.parametrize("total", ["effects", "requests"])
def test_books_that_do_not_add_up_are_not_believed(total: str):
    verdict = judge(submitted=HONEST, endings=HONEST, report=report(books(), **{total: 99}))
    assert not verdict.ok
    assert f"99 {total} in all" in verdict.problems[0]


def test_a_key_submitted_twice_counts_once():
    verdict = judge(submitted=[*HONEST, "paid"], endings=HONEST, report=report(books()))
    assert verdict.accepted == len(HONEST)
    assert verdict.ok
