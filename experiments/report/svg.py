"""Plots as inline SVG: a timeline, latencies, health; faults are shaded in all of them, on one axis of time. Pure.

Colours are CSS variables of the page, so that the same picture serves a light and a dark one; what is told by colour is
told by shape or position, too.
"""

from __future__ import annotations

from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.judging.facts import CallFact, LogFact
    from experiments.report.run import HealthPoint, Span

WIDTH = 960
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 12, 28
_PLOT = WIDTH - _LEFT - _RIGHT
POINTS_MAX = 4_000
"""Calls that are drawn; of more every n-th, and each that failed."""

_TICKS = 8
_LANE = 22
_EVENT_LANE = 30
"""An event has its word above it."""

_LABEL_MAX = 44


class _Axis:
    """Seconds of the run to places on the page."""

    def __init__(self, lasted_s: float) -> None:
        self.end_s = max(lasted_s, 1e-3)

    def x(self, at_s: float) -> float:
        return _LEFT + _PLOT * min(1.0, max(0.0, at_s / self.end_s))

    def ticks(self) -> list[float]:
        step = _nice(self.end_s / _TICKS)
        return [number * step for number in range(floor(self.end_s / step + 1e-9) + 1)]


def _nice(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))


def _svg(height: int, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title, quote=True)}" '
        f'preserveAspectRatio="xMidYMid meet">{"".join(parts)}</svg>'
    )


def _time_axis(axis: _Axis, bottom: int) -> list[str]:
    parts = [f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{bottom}" y2="{bottom}"/>']
    for tick in axis.ticks():
        x = axis.x(tick)
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}"/>')
        anchor = "end" if x > WIDTH - _RIGHT - 12 else "middle"
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 18}" text-anchor="{anchor}">{tick:g} s</text>')
    return parts


def _shades(axis: _Axis, faults: Sequence[Span], top: int, bottom: int) -> list[str]:
    return [
        f'<rect class="shade" x="{axis.x(span.begin_s):.1f}" y="{top}" '
        f'width="{max(2.0, axis.x(span.end_s) - axis.x(span.begin_s)):.1f}" height="{bottom - top}">'
        f"<title>{escape(span.what)}: {span.begin_s:.2f} s to {span.end_s:.2f} s</title></rect>"
        for span in faults
    ]


def timeline(rounds: Sequence[Span], faults: Sequence[Span], events: Sequence[LogFact], lasted_s: float) -> str:
    """Rounds, faults and events, each in a lane of its own."""
    axis = _Axis(lasted_s)
    subjects = list(dict.fromkeys(event.subject for event in events))
    first_lane = _TOP + (1 + len(faults)) * _LANE
    bottom = first_lane + len(subjects) * _EVENT_LANE + 4
    parts = _shades(axis, faults, _TOP, bottom)
    for span in rounds:
        parts.append(_bar(axis, span, _TOP, f"round-{span.kind}", span.kind))
    for number, span in enumerate(faults, start=1):
        parts.append(_bar(axis, span, _TOP + number * _LANE, "fault", span.what))
    for number, subject in enumerate(subjects):
        middle = first_lane + number * _EVENT_LANE + _EVENT_LANE * 2 / 3
        parts.append(f'<line class="lane" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{middle:.1f}" y2="{middle:.1f}"/>')
        parts += _marks(axis, [event for event in events if event.subject == subject], middle)
        parts.append(f'<text class="lane-name" x="{_LEFT + 4}" y="{middle - 3:.1f}">{escape(_short(subject))}</text>')
    parts += _time_axis(axis, bottom)
    return _svg(bottom + _BOTTOM, "timeline of rounds, faults and events", parts)


def _bar(axis: _Axis, span: Span, top: float, kind: str, label: str) -> str:
    left, width = axis.x(span.begin_s), max(2.0, axis.x(span.end_s) - axis.x(span.begin_s))
    inside = width > 7 * len(label) + 12
    x, anchor = (left + 6, "start") if inside or left + width < WIDTH * 0.7 else (left - 6, "end")
    x = x if inside or anchor == "end" else left + width + 6
    text_class = "bar-name" if inside else "tick"
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{top + 2:.1f}" width="{width:.1f}" height="{_LANE - 4}" rx="3">'
        f"<title>{escape(label)}: {span.begin_s:.2f} s to {span.end_s:.2f} s</title></rect>"
        f'<text class="{text_class}" x="{x:.1f}" y="{top + _LANE / 2 + 4:.1f}" text-anchor="{anchor}">'
        f"{escape(_short(label))}</text>"
    )


def _marks(axis: _Axis, events: Sequence[LogFact], middle: float) -> list[str]:
    """An event each, with its word where there is room for it."""
    parts: list[str] = []
    free_from = 0.0
    for event in sorted(events, key=lambda each: each.at_s):
        x = axis.x(event.at_s)
        told = f"{event.event_id}: {event.subject} {event.event} at {event.at_s:.2f} s {event.detail}".strip()
        parts.append(
            f'<circle class="event {_tone(event.event)}" cx="{x:.1f}" cy="{middle:.1f}" r="4">'
            f"<title>{escape(told)}</title></circle>"
        )
        width = 6.5 * len(event.event)
        if x - width / 2 > free_from and x - width / 2 > _LEFT + 7 * min(_LABEL_MAX, len(event.subject)) + 12:
            parts.append(
                f'<text class="event-name" x="{min(x, WIDTH - _RIGHT - width / 2):.1f}" y="{middle - 7:.1f}" '
                f'text-anchor="middle">{escape(event.event)}</text>'
            )
            free_from = x + width / 2 + 6
    return parts


_BAD = ("died", "hung", "killed", "failed", "opened", "given_up", "node_lost", "takeover_failed", "unhealthy")
_GOOD = ("ready", "promoted", "adopted", "closed", "recovered", "passed")


def _tone(event: str) -> str:
    if event in _BAD:
        return "bad"
    return "good" if event in _GOOD else "plain"


def _short(text: str) -> str:
    return text if len(text) <= _LABEL_MAX else f"{text[: _LABEL_MAX - 1]}\u2026"


def latencies(calls: Sequence[CallFact], faults: Sequence[Span], lasted_s: float, *, height: int = 240) -> str:
    """Each call by when it was made and how long it took, on a logarithmic scale; failed ones are crosses."""
    axis = _Axis(lasted_s)
    bottom = height - _BOTTOM
    parts = _shades(axis, faults, _TOP, bottom)
    shown = _sampled(calls)
    durations = [max(call.duration_s, 1e-6) for call in shown] or [1e-3]
    low, high = floor(log10(min(durations))), ceil(log10(max(durations)))
    high = max(high, low + 1)

    def y(duration_s: float) -> float:
        share = (log10(max(duration_s, 1e-6)) - low) / (high - low)
        return bottom - (bottom - _TOP) * min(1.0, max(0.0, share))

    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{_seconds(power)}</text>')
    for call in shown:
        x, at = axis.x(call.at_s), y(call.duration_s)
        if call.ok:
            parts.append(f'<circle class="call" cx="{x:.1f}" cy="{at:.1f}" r="2"/>')
        else:
            cross = f"M{x - 3:.1f} {at - 3:.1f}l6 6m0 -6l-6 6"
            parts.append(f'<path class="call-failed" d="{cross}"/>')
    parts += _time_axis(axis, bottom)
    return _svg(height, "latency of each call over time", parts)


def _sampled(calls: Sequence[CallFact]) -> list[CallFact]:
    every = max(1, ceil(len(calls) / POINTS_MAX))
    return [call for number, call in enumerate(calls) if number % every == 0 or not call.ok][: 2 * POINTS_MAX]


def _seconds(power: int) -> str:
    if power >= 0:
        return f"{10**power:g} s"
    return f"{10 ** (power + 3):g} ms" if power + 3 >= 0 else f"{10 ** (power + 6):g} us"


def health(points: Sequence[HealthPoint], faults: Sequence[Span], lasted_s: float, *, height: int = 150) -> str:
    """The score as steps from 0 to 100."""
    axis = _Axis(lasted_s)
    bottom = height - _BOTTOM
    parts = _shades(axis, faults, _TOP, bottom)

    def y(score: float) -> float:
        return bottom - (bottom - _TOP) * min(100.0, max(0.0, score)) / 100

    for score in (0, 50, 100):
        at = y(score)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{score}</text>')
    if points:
        ordered = sorted(points, key=lambda point: point.at_s)
        path = [f"M{axis.x(ordered[0].at_s):.1f} {y(ordered[0].score):.1f}"]
        path += [f"H{axis.x(point.at_s):.1f}V{y(point.score):.1f}" for point in ordered[1:]]
        path.append(f"H{axis.x(lasted_s):.1f}")
        parts.append(f'<path class="health" d="{"".join(path)}"/>')
    parts += _time_axis(axis, bottom)
    return _svg(height, "health score over time", parts)
