"""The upstream's books: one effect a key, and nothing forgotten."""

from __future__ import annotations

import pytest

from experiments.demo.ledger import AmountConflictError, Ledger, Receipt
from experiments.demo.schedule import outcome

SEED = 7
GOOD = next(key for key in map(str, range(1000)) if outcome(SEED, key, 1).kind == "ok")
REJECTED = next(key for key in map(str, range(1000)) if outcome(SEED, key, 1).kind == "rejected")


def test_the_first_request_has_the_effect_and_later_ones_get_its_receipt():
    ledger = Ledger(SEED)
    ledger.admit(GOOD)
    first = ledger.apply(GOOD, 100)
    assert first == Receipt("receipt-000001", GOOD, 100)
    ledger.admit(GOOD)
    assert ledger.apply(GOOD, 100) is first
    report = ledger.report()
    assert (report["requests"], report["effects"], report["suppressed_duplicates"]) == (2, 1, 1)
    assert report["keys"][GOOD]["effects"] == 1
    assert report["keys"][GOOD]["receipt"] == "receipt-000001"


def test_two_requests_under_way_at_once_have_one_effect():
    ledger = Ledger(SEED)
    ledger.admit(GOOD)
    ledger.admit(GOOD)
    assert ledger.apply(GOOD, 5) == ledger.apply(GOOD, 5)
    assert ledger.report()["effects"] == 1


def test_another_amount_under_a_charged_key_is_refused():
    ledger = Ledger(SEED)
    ledger.admit(GOOD)
    ledger.apply(GOOD, 100)
    with pytest.raises(AmountConflictError, match="charged 100 before, now 200"):
        ledger.apply(GOOD, 200)
    report = ledger.report()
    assert (report["effects"], report["conflicts"]) == (1, 1)


def test_requests_follow_the_schedule_in_the_order_of_arrival():
    ledger = Ledger(SEED)
    decided = [ledger.admit(GOOD) for _ in range(30)]
    assert decided == [outcome(SEED, GOOD, number) for number in range(1, 31)]
    kinds = [each.kind for each in decided]
    report = ledger.report()
    assert report["keys"][GOOD]["outcomes"] == kinds
    assert report["unavailable"] == kinds.count("unavailable")
    assert report["dropped"] == kinds.count("drop")
    assert report["slow"] == kinds.count("slow")


def test_rejected_keys_are_listed():
    ledger = Ledger(SEED)
    ledger.admit(REJECTED)
    ledger.admit(GOOD)
    assert ledger.report()["rejected"] == [REJECTED]
    assert ledger.report()["keys"][REJECTED] == {"outcomes": ["rejected"], "effects": 0, "receipt": None}


def test_an_empty_book_reports_zeros():
    report = Ledger(SEED).report()
    assert report["requests"] == report["effects"] == report["suppressed_duplicates"] == 0
    assert report["keys"] == {}
