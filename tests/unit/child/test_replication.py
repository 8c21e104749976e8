"""Who holds the state, who is waited for, and who is left alone until it answers."""

from __future__ import annotations

import pytest

from actors.child.replication import StandbyLedger


@pytest.fixture
def ledger() -> StandbyLedger:
    made = StandbyLedger()
    made.attend(("a", "b"))
    return made


def test_everyone_who_does_not_hold_a_state_is_sent_it(ledger):
    assert ledger.behind(1) == ("a", "b")
    ledger.acknowledge("a", 1)
    assert ledger.behind(1) == ("b",)
    assert not ledger.is_held(1), "the other one may be accepted next"
    ledger.acknowledge("b", 1)
    assert ledger.is_held(1)
    assert not ledger.is_held(2)


def test_one_who_lags_is_left_alone_until_it_answers(ledger):
    ledger.miss("a", 1)
    assert ledger.behind(2) == ("b",)
    ledger.acknowledge("a", 1)
    assert ledger.behind(2) == ("a", "b")


def test_an_older_answer_does_not_settle_a_newer_debt(ledger):
    ledger.miss("a", 2)
    ledger.acknowledge("a", 1)
    assert ledger.behind(3) == ("b",)


def test_answers_come_in_any_order(ledger):
    ledger.acknowledge("a", 5)
    ledger.acknowledge("a", 4)
    ledger.acknowledge("b", 5)
    assert ledger.is_held(5)


def test_a_refusal_is_an_answer_that_holds_nothing(ledger):
    ledger.miss("a", 1)
    ledger.refuse("a")
    assert ledger.behind(1) == ("a", "b")
    assert not ledger.is_held(1)


def test_a_dead_one_is_forgotten_until_it_is_attended_again(ledger):
    ledger.acknowledge("a", 1)
    ledger.forget("a")
    assert not ledger.is_held(1)
    assert ledger.behind(2) == ("b",)


def test_attending_keeps_what_is_known_of_those_who_stay(ledger):
    ledger.acknowledge("a", 3)
    ledger.miss("b", 3)
    ledger.attend(("a", "c"))
    assert ledger.behind(3) == ("c",)
    ledger.attend(("a", "b", "c"))
    assert ledger.behind(3) == ("b", "c")


def test_answers_of_strangers_change_nothing(ledger):
    ledger.acknowledge("x", 1)
    ledger.miss("x", 1)
    assert not ledger.is_held(1)
    assert ledger.behind(1) == ("a", "b")
