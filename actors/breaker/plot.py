"""A simulation's run as a picture: in characters for a terminal, or as SVG. Pure.

closed     #########               ####     one line a state, and below it the load that each moment brought
open                ######   ###
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil
from typing import TYPE_CHECKING

from actors.breaker.published import STATES

if TYPE_CHECKING:
    from actors.breaker.published import State
    from actors.breaker.scenario import Scenario
    from actors.breaker.simulate import SimulationReport

COLOURS: dict[str, str] = {
    "closed": "#2e7d32",
    "open": "#c62828",
    "half_open": "#f9a825",
    "ramping": "#1565c0",
    "disabled": "#757575",
    "forced_open": "#6a1b9a",
    "shadow": "#90a4ae",
}
_LEVELS = " .:-=+*#%@"
_LABEL = 12
_SVG_WIDTH, _ROW, _LEFT = 960, 26, 110
_NARROWEST = 3.0
"""Probing takes a hundredth of a second in an outage of minutes, and is to be seen."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A while in one state, seconds from the beginning."""

    state: State
    begins: float
    ends: float


def stretches(report: SimulationReport) -> list[Stretch]:
    """The run as one state after the other."""
    ends = [*(moment.at for moment in report.timeline[1:]), report.duration_s]
    return [
        Stretch(moment.state, moment.at, end)
        for moment, end in zip(report.timeline, ends, strict=True)
        if end > moment.at
    ]


def text_plot(report: SimulationReport, scenario: Scenario, *, width: int = 80) -> str:
    """The states over time, and how often calls failed, in lines of at most `width` characters."""
    columns = max(10, width - _LABEL - 1)
    found = stretches(report)
    lines = [f"{state:<{_LABEL}} {_bar(found, state, report.duration_s, columns)}" for state in _present(found)]
    levels = [_level(rate) for rate in _failures(scenario, columns)]
    lines += [f"{'failing':<{_LABEL}} {''.join(levels)}", f"{'':<{_LABEL}} {_axis(report.duration_s, columns)}"]
    return "\n".join(line.rstrip() for line in lines)


def svg_plot(report: SimulationReport, scenario: Scenario, *, title: str = "") -> str:
    """The same as an SVG document; each stretch says when it began and why when it is pointed at."""
    found = stretches(report)
    states = _present(found)
    height = _ROW * (len(states) + 3)
    scale = (_SVG_WIDTH - _LEFT - 10) / report.duration_s
    why = {moment.at: moment.why for moment in report.timeline}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SVG_WIDTH} {height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="100%" height="100%" fill="white"/><text x="10" y="18">{escape(title)}</text>',
    ]
    rows = {state: _ROW * (number + 1) for number, state in enumerate(states)}
    parts += [f'<text x="10" y="{y + 17}">{state}</text>' for state, y in rows.items()]
    for each in found:
        x, long = _LEFT + each.begins * scale, (each.ends - each.begins) * scale
        told = escape(f"{each.begins:.2f} s to {each.ends:.2f} s: {why.get(each.begins, '')}")
        parts.append(
            f'<rect x="{x:.1f}" y="{rows[each.state] + 3}" width="{max(long, _NARROWEST):.1f}" height="{_ROW - 6}" '
            f'fill="{COLOURS[each.state]}"><title>{told}</title></rect>'
        )
    parts += _svg_failures(scenario, _ROW * (len(states) + 1), scale)
    parts += _svg_axis(report.duration_s, height - 8, scale)
    return "\n".join([*parts, "</svg>"])


def _present(found: Sequence[Stretch]) -> list[State]:
    return [state for state in STATES if any(each.state == state for each in found)]


def _bar(found: Sequence[Stretch], state: State, duration_s: float, columns: int) -> str:
    """A mark in each column in which the state held for any time at all."""
    marks = [" "] * columns
    for each in found:
        if each.state == state:
            first = int(each.begins / duration_s * columns)
            last = max(first + 1, ceil(each.ends / duration_s * columns))
            marks[first:last] = "#" * (min(last, columns) - first)
    return "".join(marks)


def _failures(scenario: Scenario, columns: int) -> list[float]:
    """How large a part of the calls fails, for each column."""
    rates: list[float] = []
    for column in range(columns):
        at, begins = (column + 0.5) / columns * scenario.duration_s, 0.0
        for phase in scenario.phases:
            if begins <= at < begins + phase.duration_s:
                rates.append(phase.failure_rate)
                break
            begins += phase.duration_s
    return rates


def _level(rate: float) -> str:
    return _LEVELS[ceil(rate * (len(_LEVELS) - 1))]


def _axis(duration_s: float, columns: int) -> str:
    end = f"{duration_s:g} s"
    return f"0{end:>{columns - 1}}"


def _svg_failures(scenario: Scenario, y: int, scale: float) -> list[str]:
    parts, begins = [f'<text x="10" y="{y + 17}">failing</text>'], 0.0
    for phase in scenario.phases:
        tall = phase.failure_rate * (_ROW - 6)
        told = f"{phase.failure_rate:.0%} of {phase.calls_per_s:g} calls/s fail"
        parts.append(
            f'<rect x="{_LEFT + begins * scale:.1f}" y="{y + _ROW - 3 - tall:.1f}" '
            f'width="{phase.duration_s * scale:.1f}" height="{tall:.1f}" fill="#ef9a9a"><title>{told}</title></rect>'
        )
        begins += phase.duration_s
    return parts


def _svg_axis(duration_s: float, y: int, scale: float) -> list[str]:
    times = [duration_s * part / 5 for part in range(6)]
    anchors = ["start", *["middle"] * 4, "end"]
    return [
        f'<text x="{_LEFT + at * scale:.1f}" y="{y}" text-anchor="{anchor}">{at:g} s</text>'
        for at, anchor in zip(times, anchors, strict=True)
    ]
