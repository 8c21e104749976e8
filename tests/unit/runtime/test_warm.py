"""The stock of warm processes: refilled after use, renewed in time, bounded, and honest about what others took."""

from __future__ import annotations

from random import Random

import pytest

from actors.runtime.warm import StartWarm, WarmSettings, WarmStock, was_warm

SETTINGS = WarmSettings(
    per_node=2, keep_alive_s=100, renew_before_s=10, refill_after_s=1, settle_s=5, pause_s=2, pause_max_s=8
)


def ask(count: int, node_id: str = "a") -> StartWarm:
    return StartWarm(node_id=node_id, count=count, keep_alive_s=100)


def stock_of(*nodes: str) -> WarmStock:
    stock = WarmStock(SETTINGS)
    stock.nodes_seen(nodes, 0.0)
    return stock


def test_each_node_is_filled_when_it_joins_and_forgotten_when_it_leaves():
    stock = stock_of("a", "b")
    assert stock.decide(0.0) == [ask(2, "a"), ask(2, "b")]
    assert stock.decide(0.5) == []
    stock.nodes_seen(["b", "c"], 1.0)
    assert stock.decide(1.0) == [ask(2, "c")]
    assert (stock.held("a"), stock.held("b"), stock.held("c")) == (0, 2, 2)


def test_a_use_is_refilled_a_while_later_and_uses_in_between_travel_along():
    stock = stock_of("a")
    stock.decide(0.0)
    stock.used("a", warm=True, now=20.0)
    assert (stock.next_timer(), stock.decide(20.9)) == (21.0, [])
    stock.used("a", warm=True, now=20.95)
    assert stock.decide(21.0) == [ask(2)]


def test_the_stock_is_renewed_before_its_keep_alive_ends():
    stock = stock_of("a")
    stock.decide(0.0)
    assert stock.next_timer() == 90.0
    assert stock.decide(89.0) == []
    assert stock.decide(90.0) == [ask(2)]
    assert stock.held("a") == 2


def test_only_what_ends_is_renewed():
    stock = stock_of("a")
    stock.decide(0.0)
    stock.used("a", warm=True, now=50.0)
    assert stock.decide(51.0) == [ask(1)]
    assert stock.decide(90.0) == [ask(1)]


def test_a_cold_start_from_a_warm_stock_means_that_others_took_it():
    stock = stock_of("a")
    stock.decide(0.0)
    stock.used("a", warm=False, now=30.0)
    assert stock.decide(31.0) == [ask(2)]


def test_a_cold_start_while_the_stock_is_still_starting_asks_for_no_more():
    stock = stock_of("a")
    stock.decide(0.0)
    stock.used("a", warm=False, now=2.0)
    assert stock.decide(10.0) == []


def test_a_refusal_is_asked_again_after_a_pause_that_doubles_and_an_acceptance_forgets_it():
    stock = stock_of("a")
    asked: list[float] = []
    now = 0.0
    for _ in range(5):
        assert stock.decide(now) == [ask(2)]
        asked.append(now)
        stock.refused("a", now)
        stock.used("a", warm=False, now=now)
        due = stock.next_timer()
        assert due is not None
        now = due
    assert asked == [0.0, 2.0, 6.0, 14.0, 22.0]
    assert stock.decide(now) == [ask(2)]
    stock.accepted("a")
    stock.used("a", warm=True, now=100.0)
    assert stock.decide(101.0) == [ask(1)]


def test_a_successor_does_not_fill_what_its_predecessor_has_filled():
    stock = WarmStock(SETTINGS, inherits=True)
    stock.nodes_seen(["a"], 0.0)
    assert stock.decide(0.0) == []
    stock.nodes_seen(["a", "b"], 1.0)
    assert stock.decide(1.0) == [ask(2, "b")]
    stock.used("a", warm=False, now=2.0)
    assert stock.decide(3.0) == [ask(2, "a")]
    unused = WarmStock(SETTINGS, inherits=True)
    unused.nodes_seen(["a"], 0.0)
    assert unused.decide(50.0) == [ask(2)]


def test_a_node_that_is_not_known_changes_nothing():
    stock = stock_of("a")
    stock.used("z", warm=True, now=1.0)
    stock.refused("z", 1.0)
    stock.accepted("z")
    assert stock.held("z") == 0


def test_an_empty_stock_asks_for_nothing():
    stock = WarmStock(WarmSettings(per_node=0))
    stock.nodes_seen(["a"], 0.0)
    assert (stock.decide(0.0), stock.next_timer()) == ([], None)


def test_what_is_asked_for_is_bounded_by_the_stock_and_its_uses():
    rng = Random(7)
    stock = stock_of("a")
    asked, uses, renewals, now = 0, 0, 0, 0.0
    for _ in range(5000):
        now += rng.expovariate(0.5)
        if rng.random() < 0.3:
            warm = stock.held("a") > 0
            stock.used("a", warm=warm, now=now)
            uses += 1
        asked += sum(command.count for command in stock.decide(now))
        renewals = int(now / 90) + 1
        assert stock.held("a") <= 2
    assert asked <= 2 * renewals + uses + 2


@pytest.mark.parametrize(("age_s", "warm"), [(5.0, True), (0.3, False), (None, False)])
def test_a_process_older_than_the_wait_for_it_was_warm(age_s, warm):
    assert was_warm(age_s, waited_s=0.4) is warm


@pytest.mark.parametrize("wrong", [{"per_node": -1}, {"keep_alive_s": 10, "renew_before_s": 10}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="per_node must be"):
        WarmSettings(**wrong)
