"""One HTML file that opens without a network: everything that a run came to, light or dark as the reader has it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from experiments.report.numbers import moment_text, number_text
from experiments.report.svg import health, latencies, timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from experiments.report.run import RunReport

EVENTS_MAX = 500
"""Rows of the table of events; the log has all of them."""


@dataclass(frozen=True, slots=True)
class Toned:
    """A cell that is told as good or bad."""

    text: str
    tone: Literal["good", "bad"]


Cell = str | Toned


def page(report: RunReport) -> str:
    """The whole page."""
    faults = report.faults_on()
    style = files("experiments.report").joinpath("page.css").read_text(encoding="utf-8")
    title = escape(report.experiment.title)
    body = [
        _head(report),
        _section("Why", _list(report.verdict.reasons)),
        _section("Measured", _numbers(report)),
        _section("Timeline", timeline(report.rounds, faults, report.events, report.lasted_s), _legend()),
        _section("Latency of each call", _calls(report)),
        _section("Health", _health(report)),
        _section("Hypothesis", _probes(report)),
        _section("Faults", _faults(report)),
        _section("Recommendations", _recommendations(report)),
        _section("Events", _events(report)),
        _section("Plan", _plan(report)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{escape(report.verdict.kind)}: {title}</title><style>{style}</style></head>'
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _head(report: RunReport) -> str:
    kind = report.verdict.kind
    score = "not scored" if report.verdict.score is None else f"score {report.verdict.score:g}"
    facts = [
        f"run {report.run}",
        moment_text(report.started_us),
        f"{report.lasted_s:.1f} s",
        f"seed {report.plan.seed}",
        f"plan {report.plan.digest()}",
        f"trace {report.trace_id}" if report.trace_id else "",
        report.platform,
    ]
    told = " \u00b7 ".join(escape(fact) for fact in facts if fact)
    return (
        f'<header><p class="verdict {kind}"><b>{escape(kind.replace("_", " "))}</b> <span>{escape(score)}</span></p>'
        f"<h1>{escape(report.experiment.title)}</h1><p>{escape(report.experiment.description)}</p>"
        f'<p class="facts">{told}</p></header>'
    )


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def _list(items: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>" if items else _none("nothing to tell")


def _none(words: str) -> str:
    return f'<p class="none">{escape(words)}</p>'


def _table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return f"<td>{escape(cell)}</td>"
    return f'<td class="{cell.tone}">{escape(cell.text)}</td>'


def _good(text: str) -> Toned:
    return Toned(text, "good")


def _bad(text: str) -> Toned:
    return Toned(text, "bad")


def _numbers(report: RunReport) -> str:
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(number_text(value))}</dd></div>"
        for name, value in report.numbers().items()
    )
    return f'<dl class="numbers">{items}</dl>'


def _legend() -> str:
    return (
        '<p class="legend"><span class="key shade-key"></span> a fault is on <span class="key bad-key"></span> trouble '
        '<span class="key good-key"></span> well again <span class="key plain-key"></span> other events</p>'
    )


def _calls(report: RunReport) -> str:
    if not report.seen.calls:
        return _none("no load ran meanwhile")
    told = "Each dot is a call by when it was made; crosses failed. Shaded: a fault is on. The scale is logarithmic."
    plot = latencies(report.seen.calls, report.faults_on(), report.lasted_s)
    return f'{plot}<p class="legend">{told}</p>'


def _health(report: RunReport) -> str:
    if not report.health:
        return _none("no monitor told of it")
    return health(report.health, report.faults_on(), report.lasted_s)


_HELD = {True: _good("held"), False: _bad("did not hold"), None: _bad("cannot be judged")}


def _probes(report: RunReport) -> str:
    if not report.seen.probes:
        return _none("none was looked at")
    edges = [probe for probe in report.seen.probes if probe.when != "during"]
    rows: list[tuple[Cell, ...]] = [
        (probe.name, probe.when, f"{probe.at_s:.2f} s", _HELD[probe.held], probe.why) for probe in edges
    ]
    before = sum(probe.when == "before" for probe in edges)
    rows[before:before] = _meanwhile(report)
    title = report.experiment.hypothesis.title if report.experiment.hypothesis is not None else ""
    return f"<p>{escape(title)}</p>{_table(('probe', 'when', 'at', 'verdict', 'value'), rows)}"


def _meanwhile(report: RunReport) -> list[tuple[Cell, ...]]:
    """Each probe that was looked at again and again, in one line, with the last that was not good."""
    found: list[tuple[Cell, ...]] = []
    during = [probe for probe in report.seen.probes if probe.when == "during"]
    for name in dict.fromkeys(probe.name for probe in during):
        looks = sorted((probe for probe in during if probe.name == name), key=lambda probe: probe.at_s)
        bad = [probe for probe in looks if probe.held is not True]
        told = _bad(f"did not hold {len(bad)} of {len(looks)} times") if bad else _good(f"held {len(looks)} times")
        span = f"{looks[0].at_s:.2f} to {looks[-1].at_s:.2f} s"
        found.append((name, "during", span, told, (bad or looks)[-1].why))
    return found


def _faults(report: RunReport) -> str:
    rows = [
        (
            fault.fault_id,
            f"{fault.fault} {fault.target}",
            _bad("not injected") if fault.injected_at_s is None else f"{fault.injected_at_s:.2f} s",
            _good(fault.evidence) if fault.evidence else _bad("nothing but its injector"),
            _told(fault.detect_s, fault.detected_by),
            _told(fault.recover_s, fault.recovered_by) if not fault.loss else _bad(fault.loss),
        )
        for fault in report.seen.faults
    ]
    columns = ("id", "fault", "injected", "seen to act by", "detected after", "recovered after")
    return _table(columns, rows) if rows else _none("none was injected")


def _told(value: float | None, event: str) -> Cell:
    return _bad("never") if value is None else f"{value:.3f} s ({event})"


def _recommendations(report: RunReport) -> str:
    rows = [(f"#{each.number}", str(each.change), each.why, ", ".join(each.events)) for each in report.recommendations]
    if not rows:
        return _none("none: no event speaks for a change")
    apply = f"<p>Apply one: <code>supervisor chaos apply {escape(report.run)}#1</code></p>"
    return _table(("", "change", "because", "events"), rows) + apply


def _events(report: RunReport) -> str:
    rows = [
        (f"{event.at_s:.3f} s", event.event_id, event.subject, event.event, event.detail)
        for event in report.events[:EVENTS_MAX]
    ]
    if not rows:
        return _none("the log tells of none")
    more = len(report.events) - len(rows)
    told = f'<p class="none">and {more} more in the event log</p>' if more > 0 else ""
    return _table(("at", "id", "whom", "what", ""), rows) + told


def _plan(report: RunReport) -> str:
    rows = [
        (
            f"method[{fault.place}]",
            fault.fault,
            ", ".join(hit.name for hit in fault.hits),
            f"{fault.lease_s:g} s",
            ", ".join(f"{key}={value}" for key, value in sorted(fault.how.items())),
        )
        for fault in report.plan.faults
    ]
    mode = "on" if report.plan.safe_mode else "off"
    rounds = f"<p>Rounds: {escape(', '.join(report.plan.phases))}. Safe mode is {mode}.</p>"
    return rounds + _table(("step", "fault", "whom", "lease", "how"), rows)
