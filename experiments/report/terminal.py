"""The summary of a run, a plan, a campaign and a comparison for a terminal, wide or narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from experiments.report.numbers import number_text, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from experiments.planning.plan import Plan, Refusal
    from experiments.report.compare import Comparison
    from experiments.report.run import RunReport
    from experiments.scheduling.campaign import Campaign

STYLES = {
    "held": "bold green",
    "deviated": "bold red",
    "inconclusive": "bold yellow",
    "aborted": "bold red",
    "not_started": "bold yellow",
    "better": "green",
    "worse": "red",
}


def summary(report: RunReport) -> RenderableType:
    """What a run came to, why, and what to do."""
    verdict = report.verdict
    score = "not scored" if verdict.score is None else f"score {verdict.score:g}"
    head = Text.assemble(
        (verdict.kind.replace("_", " ").upper(), STYLES[verdict.kind]),
        printable(f"  {report.experiment.title}  ({score})"),
    )
    parts: list[RenderableType] = [head, *(_text(f"- {reason}") for reason in verdict.reasons)]
    numbers = _table("measured", "")
    for name, value in report.numbers().items():
        numbers.add_row(name, _text(number_text(value), style="dim" if value is None else ""))
    parts.append(numbers)
    for each in report.recommendations:
        parts.append(_text(f"#{each.number} {each.change}", style="bold"))
        parts.append(_text(f"   {each.why} [{', '.join(each.events[:3])}]"))
    if report.recommendations:
        parts.append(_text(f"apply one: supervisor chaos apply {report.run}#1", style="dim"))
    return Group(*parts)


def plan_text(plan: Plan, refusals: Sequence[Refusal] | None = None) -> RenderableType:
    """A dry run: what would be done to whom, and why it may not.

    Args:
        plan: The plan.
        refusals: Its refusals in other words; left out, its own.
    """
    parts: list[RenderableType] = [_text(f"{plan.experiment}, seed {plan.seed}, plan {plan.digest()}", style="bold")]
    table = _table("fault", "whom", "lease")
    for fault in plan.faults:
        whom = ", ".join(hit.name for hit in fault.hits) or "-"
        beside = f", and with it {', '.join(fault.reaches)}" if fault.reaches else ""
        table.add_row(_text(fault.fault), _text(f"{whom}{beside}"), f"{fault.lease_s:g} s")
    parts.append(table)
    parts.append(_text(f"rounds: {', '.join(plan.phases)}; safe mode is {'on' if plan.safe_mode else 'off'}"))
    parts += [
        _text(f"refused ({refusal.rule}): {refusal.words}", style="red")
        for refusal in (plan.refusals if refusals is None else refusals)
    ]
    parts += [_text(f"not checked: {words}", style="yellow") for words in plan.unchecked]
    return Group(*parts)


def campaign_text(campaign: Campaign) -> RenderableType:
    """Every seed, the worst first."""
    table = _table("seed", "verdict", "score", "recovered, s")
    for run in campaign.runs:
        kind = _text(run.verdict.replace("_", " "), style=STYLES[run.verdict])
        table.add_row(str(run.seed), kind, number_text(run.score), number_text(run.recover_s))
    counts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in campaign.counts.items())
    worst = campaign.worst
    named = f" ({worst.run})" if worst.run else ""
    why = f"worst: seed {worst.seed}{named}: {'; '.join(worst.reasons) or worst.verdict}"
    return Group(_text(counts, style="bold"), _text(why), table)


def comparison_text(comparison: Comparison) -> RenderableType:
    """Two runs beside each other."""
    first, second = comparison.verdicts
    head = Text.assemble((first, STYLES[first]), " -> ", (second, STYLES[second]))
    parts: list[RenderableType] = [head]
    if comparison.comparable:
        parts.append(_text(comparison.comparable, style="yellow"))
    table = _table("measured", "first", "second", "")
    for line in comparison.lines:
        change = _text(line.change, style=STYLES.get(line.change, "dim"))
        table.add_row(line.name, number_text(line.first), number_text(line.second), change)
    parts.append(table)
    for what, names in (("gone", comparison.gone), ("new", comparison.new), ("remaining", comparison.remaining)):
        parts += [_text(f"{what}: {name}", style="green" if what == "gone" else "") for name in names]
    return Group(*parts)


def _text(words: str, style: str = "") -> Text:
    return Text(printable(words), style=style)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
