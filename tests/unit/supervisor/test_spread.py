"""Copies: one message under way to each receiver, the newest next, and what outlives the leader."""

from __future__ import annotations

from supervisor.spread import Spread


def test_each_is_sent_what_is_news_to_him_and_nothing_while_a_message_is_under_way() -> None:
    spread = Spread()
    spread.keep_only(["standby", "agent"])
    newest = {"standby": (1, 4), "agent": (1, 0), "stranger": (1, 1)}
    assert spread.to_send(newest) == [("standby", True, True), ("agent", True, False)]
    assert spread.to_send({"standby": (2, 5), "agent": (2, 0)}) == []
    spread.answered("standby", (1, 4))
    assert spread.to_send({"standby": (1, 4)}) == []
    assert spread.to_send({"standby": (1, 5)}) == [("standby", False, True)]
    spread.answered("standby", (0, 5))
    assert spread.to_send({"standby": (1, 5)}) == []


def test_what_went_wrong_is_sent_again() -> None:
    spread = Spread()
    spread.keep_only(["agent"])
    assert spread.to_send({"agent": (1, 0)}) == [("agent", True, False)]
    spread.answered("agent", None)
    assert spread.to_send({"agent": (1, 0)}) == [("agent", True, False)]


def test_a_beat_goes_to_whom_no_message_is_under_way() -> None:
    spread = Spread()
    spread.keep_only(["standby"])
    assert spread.speak_to("standby") == [("standby", False, False)]
    assert spread.speak_to("standby") == []
    assert spread.speak_to("nobody") == []


def test_a_version_is_safe_once_the_standby_holds_it_or_without_one_anybody() -> None:
    spread = Spread()
    spread.keep_only(["standby", "agent"])
    spread.to_send({"standby": (3, 0), "agent": (3, 0)})
    spread.answered("agent", (3, 0))
    assert not spread.is_safe(3, "standby")
    assert spread.is_safe(3, None)
    spread.answered("standby", (3, 0))
    assert spread.is_safe(3, "standby")
    assert not spread.is_safe(4, "standby")
    assert not spread.is_safe(1, "the next standby")


def test_who_is_gone_is_forgotten() -> None:
    spread = Spread()
    spread.keep_only(["agent"])
    spread.to_send({"agent": (1, 0)})
    spread.answered("agent", (1, 0))
    spread.keep_only([])
    spread.answered("agent", (2, 0))
    assert not spread.is_safe(1, None)
