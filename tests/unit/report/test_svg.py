"""Plots are whole XML, keep within their frame, and stay small whatever they show."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from experiments.judging.facts import CallFact, LogFact
from experiments.report import svg
from experiments.report.run import HealthPoint, Span

SPANS = st.lists(
    st.builds(Span, st.floats(0, 50), st.floats(0, 90), st.text(max_size=60), st.sampled_from(["baseline", "fault"])),
    max_size=4,
)
EVENTS = st.lists(
    st.builds(
        LogFact,
        event_id=st.text(max_size=9),
        at_s=st.floats(-1, 90),
        subject=st.sampled_from(["a", "<b>", "c" * 90]),
        event=st.sampled_from(["died", "ready", "x"]),
    ),
    max_size=9,
)
CALLS = st.lists(st.builds(CallFact, st.floats(0, 60), st.floats(0, 1e4), st.booleans(), st.just("fault")), max_size=20)
POINTS = st.lists(st.builds(HealthPoint, st.floats(0, 60), st.floats(-10, 110)), max_size=9)
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parsed(text: str) -> ET.Element:
    return ET.fromstring(NOT_XML.sub("?", text))


@given(SPANS, EVENTS, CALLS, POINTS, st.floats(0, 100))
def test_whatever_is_shown_is_whole_and_inside(
    spans: list[Span], events: list[LogFact], calls: list[CallFact], points: list[HealthPoint], lasted_s: float
) -> None:
    for text in (
        svg.timeline(spans, spans, events, lasted_s),
        svg.latencies(calls, spans, lasted_s),
        svg.health(points, spans, lasted_s),
    ):
        root = parsed(text)
        height = float(root.attrib["viewBox"].split()[3])
        for circle in root.iter("circle"):
            assert 0 <= float(circle.attrib["cx"]) <= svg.WIDTH
            assert 0 <= float(circle.attrib["cy"]) <= height
        assert "nan" not in text


def test_many_calls_are_thinned_and_failures_kept() -> None:
    calls = [CallFact(n / 1000, 0.01, n % 1000 != 0, "fault") for n in range(50_000)]
    root = parsed(svg.latencies(calls, [], 50.0))
    classes = [each.attrib.get("class") for each in root.iter()]
    assert classes.count("call-failed") == 50
    assert classes.count("call") <= svg.POINTS_MAX


def test_a_fault_is_shaded_where_it_was_on() -> None:
    root = parsed(svg.health([], [Span(5.0, 10.0, "hang w0", "fault")], 20.0))
    (shade,) = [each for each in root.iter("rect") if each.attrib["class"] == "shade"]
    assert (float(shade.attrib["x"]), float(shade.attrib["width"])) == (284.0, 220.0)
    assert shade[0].text == "hang w0: 5.00 s to 10.00 s"
