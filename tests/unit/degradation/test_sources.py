"""The worst word counts, and none that is too old."""

from __future__ import annotations

from typing import Any

import pytest

from actors.degradation.sources import SIGNALS_MAX, SILENCE_S, SOURCES_MAX, Sources

SCORE = ("system_score", "")
QUEUE = ("queue_pressure", "default")


def test_only_news_is_told_and_the_worst_counts():
    sources = Sources()
    sources.say("a", {SCORE: 80.0, QUEUE: 0.2}, 0.0)
    assert sources.news(0.0) == {SCORE: 80.0, QUEUE: 0.2}
    assert sources.news(0.0) == {}
    sources.say("b", {SCORE: 90.0, QUEUE: 0.9}, 1.0)
    assert sources.news(1.0) == {QUEUE: 0.9}
    sources.say("b", {QUEUE: None}, 2.0)
    assert sources.news(2.0) == {QUEUE: 0.2}


def test_who_falls_silent_takes_its_word_back():
    sources = Sources()
    sources.say("a", {SCORE: 10.0}, 0.0)
    sources.news(0.0)
    assert sources.next_at() == SILENCE_S
    assert sources.news(SILENCE_S) == {}
    assert sources.news(SILENCE_S + 0.1) == {SCORE: None}
    assert sources.next_at() is None


def test_who_is_dead_is_forgotten_at_once():
    sources = Sources()
    sources.say("a", {QUEUE: 1.0}, 0.0)
    sources.news(0.0)
    sources.forget("a")
    assert sources.news(0.0) == {QUEUE: None}


def test_what_is_too_much_is_refused():
    sources = Sources()
    with pytest.raises(ValueError, match="not single calls"):
        sources.say("a", {("component_score", f"c{number}"): 1.0 for number in range(SIGNALS_MAX + 1)}, 0.0)
    for number in range(SOURCES_MAX):
        sources.say(f"s{number}", {}, 0.0)
    with pytest.raises(ValueError, match="one too many"):
        sources.say("more", {}, 0.0)


def test_a_queue_that_nobody_tells_of_any_more_is_empty():
    sources = Sources()
    sources.say("a", {QUEUE: 1.0, SCORE: 10.0}, 0.0)
    sources.news(0.0)
    assert sources.news(SILENCE_S + 0.1) == {QUEUE: 0.0, SCORE: None}
    assert sources.news(SILENCE_S + 0.2) == {QUEUE: None}
    sources.say("a", {QUEUE: 1.0}, 20.0)
    sources.say("b", {QUEUE: 0.3}, 25.0)
    sources.news(25.0)
    assert sources.news(20.1 + SILENCE_S) == {QUEUE: 0.3}, "another process tells of it"


@pytest.mark.parametrize(
    ("signals", "words"),
    [
        ({"system_score": 1.0}, "'system_score' is no signal; give one of system_score, component_score"),
        ({("score", ""): 1.0}, "is no signal"),
        ({("system_score", 5): 1.0}, "is no signal"),
        ({SCORE: "40"}, "system_score of '': '40' is no number"),
        ({SCORE: float("nan")}, "is no number"),
    ],
)
def test_what_is_no_signal_is_refused_and_changes_nothing(signals: Any, words: str):
    sources = Sources()
    sources.say("a", {SCORE: 50.0}, 0.0)
    with pytest.raises(ValueError, match=words):
        sources.say("a", {QUEUE: 1.0} | signals, 0.0)
    assert sources.news(0.0) == {SCORE: 50.0}
