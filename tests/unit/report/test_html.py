"""One page that needs nothing else, tells everything, and runs nobody's code."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from experiments.judging.facts import Observations
from experiments.report.html import EVENTS_MAX, page
from tests.unit.report.scene import hostile, report

VOID = {"meta", "line", "rect", "circle", "path", "br"}


class Nesting(HTMLParser):
    """Whether every element that opens is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def read(text: str) -> Nesting:
    nesting = Nesting()
    nesting.feed(text)
    assert nesting.open == []
    return nesting


def test_it_tells_what_was_found() -> None:
    text = page(report())
    read(text)
    for words in (
        "time to recover is 5 s",
        "pid 4711 is gone",
        "children/43",
        "#1",
        "policy: attempts 3 -&gt; 5",
        "r1#1",
    ):
        assert words in text, words
    assert text.count("<svg") == 3
    assert "prefers-color-scheme: dark" in text


def test_it_opens_without_a_network() -> None:
    assert re.findall(r"(?:src|href)\s*=|url\(|@import|https?://", page(report())) == []


def test_nobody_s_text_gets_out_of_its_place() -> None:
    text = page(hostile())
    assert "script" not in read(text).seen
    assert "<script>" not in text
    assert text.count("</style>") == 1


def test_what_is_missing_is_said() -> None:
    text = page(replace(report(), seen=Observations(), events=(), health=(), recommendations=(), rounds=()))
    read(text)
    for words in ("no load ran", "no monitor told", "none was injected", "the log tells of none", "not measured"):
        assert words in text, words


def test_it_stays_small() -> None:
    whole = report()
    text = page(replace(whole, events=whole.events * 1000))
    assert text.count("<tr>") <= EVENTS_MAX + 50
    assert f"and {3000 - EVENTS_MAX} more in the event log" in text


def test_what_users_write_is_told_as_it_is_whatever_it_begins_with() -> None:
    whole = report()
    first, *others = whole.seen.probes
    probes = (replace(first, name="!urgent", why="+3 more"), *others)
    text = page(replace(whole, seen=replace(whole.seen, probes=probes)))
    assert "<td>!urgent</td>" in text
    assert "<td>+3 more</td>" in text
