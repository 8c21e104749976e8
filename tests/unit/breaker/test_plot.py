from __future__ import annotations

from xml.etree import ElementTree

from actors.breaker.plot import stretches, svg_plot, text_plot
from actors.breaker.scenario import Phase, Scenario
from actors.breaker.simulate import simulate
from tests.unit.breaker.scene import fast

QUIET = Phase(duration_s=2.0, calls_per_s=50.0)
OUTAGE = Scenario(phases=(QUIET, Phase(duration_s=6.0, calls_per_s=50.0, failure_rate=1.0), QUIET), processes=2)


def test_a_run_is_drawn_state_by_state_beside_the_failures():
    lines = text_plot(simulate(fast(), OUTAGE), OUTAGE, width=63).splitlines()
    assert [line.split()[0] for line in lines] == ["closed", "open", "half_open", "failing", "0"]
    assert lines[0][13:23] == "#" * 10
    assert lines[1][13:22] == " " * 9
    assert lines[3][13:] == " " * 10 + "@" * 30
    assert lines[4].endswith("10 s")
    assert max(map(len, lines)) <= 63


def test_a_quiet_run_has_one_line_for_its_state():
    quiet = Scenario(phases=(QUIET,), processes=1)
    assert text_plot(simulate(fast(), quiet), quiet, width=5).splitlines()[0] == f"{'closed':<13}{'#' * 10}"


def test_the_picture_is_xml_and_says_why_when_pointed_at():
    report = simulate(fast(), OUTAGE)
    root = ElementTree.fromstring(svg_plot(report, OUTAGE, title="a < b"))
    texts = [element.text or "" for element in root.iter()]
    assert "a < b" in texts
    assert any("failed (failure_rate=0.5)" in text for text in texts)
    drawn = [one for one in root.iter() if one.tag.endswith("rect") and len(one)]
    assert min(float(one.attrib["width"]) for one in drawn) >= 3
    assert [one.attrib["text-anchor"] for one in root.iter() if one.text in ("0 s", "10 s")] == ["start", "end"]
    assert len([one for one in stretches(report) if one.state == "open"]) == len(report.opened_at)
