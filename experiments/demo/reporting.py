"""What people see of the demo: live progress, and the report at the end."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from actors.runtime.clock import SYSTEM_CLOCK
from experiments.demo.killing import KINDS
from experiments.demo.recovery import spread
from supervisor.cli.spans import trace_tree

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.console import Console

    from experiments.demo.ledger import Report
    from experiments.demo.recovery import Kill, Spread
    from experiments.demo.running import Findings, Tally

PLAIN_EVERY_S = 2.0
PROBLEMS_SHOWN = 20

_VERBS = {"hung worker": "stopped (SIGSTOP)"}


def narrator_for(console: Console) -> LiveNarrator | PlainNarrator:
    """A bar on a terminal, lines anywhere else."""
    return LiveNarrator(console) if console.is_terminal else PlainNarrator(console)


class PlainNarrator:
    """One line per stage and kill, and one every `PLAIN_EVERY_S` seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told_at = SYSTEM_CLOCK.now()
        self._told_ended = 0

    def stage(self, text: str) -> None:
        self._print(text)

    def progress(self, tally: Tally) -> None:
        now = SYSTEM_CLOCK.now()
        complete = tally.ended == tally.total
        if tally.ended == self._told_ended or (now - self._told_at < PLAIN_EVERY_S and not complete):
            return
        self._told_at, self._told_ended = now, tally.ended
        self._print(f"{tally.ended} of {tally.total} tasks ended, {tally.failed} failed, {tally.kills} kills")

    def killed(self, kill: Kill) -> None:
        self._print(_kill_line(kill))

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class LiveNarrator:
    """A progress bar; stages and kills scroll by above it."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("tasks"),
            BarColumn(),
            MofNCompleteColumn(),
            TaskProgressColumn(),
            TextColumn("[red]{task.fields[failed]} failed[/]  [yellow]{task.fields[kills]} kills[/]"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._bar = self._progress.add_task("tasks", total=None, failed=0, kills=0)

    def stage(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def progress(self, tally: Tally) -> None:
        self._progress.update(
            self._bar, total=tally.total, completed=tally.ended, failed=tally.failed, kills=tally.kills
        )

    def killed(self, kill: Kill) -> None:
        self._progress.console.print(_kill_line(kill), style="yellow", markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def _kill_line(kill: Kill) -> str:
    verb = _VERBS.get(kill.kind, "killed (SIGKILL)")
    return f"  {verb} {kill.kind} {kill.actor}, pid {kill.pid}, after {kill.ended} tasks"


def print_report(found: Findings, console: Console) -> None:
    """The report: what happened to the tasks, what was killed, the verdict, and how to look further."""
    order = found.order
    kills = f"{len(found.kills)} kills" if order.chaos else "no chaos"
    console.print(f"\nsupervisor demo: {order.tasks} tasks, seed {order.seed}, {kills}", style="bold", highlight=False)
    for label, text in _facts(found):
        console.print(f"  {label:<12}{text}", markup=False, highlight=False, soft_wrap=True)
    if found.kills:
        console.print(_kill_table(found.kills))
    if found.spans:
        console.print("\none task's attempts:", highlight=False)
        console.print(trace_tree(found.spans))
    _print_verdict(found, console)
    console.print("look further:", highlight=False)
    for line in commands(found):
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def _facts(found: Findings) -> list[tuple[str, str]]:
    verdict, books = found.verdict, found.upstream
    reasons = ", ".join(f"{count} {reason}" for reason, count in found.reasons.most_common())
    states = ", ".join(f"{count} {state}" for state, count in found.agreement.states.items())
    agrees = "disagrees" if found.agreement.problems else "agrees"
    return [
        ("accepted", f"{verdict.accepted}"),
        ("done", f"{verdict.succeeded}"),
        ("failed", f"{verdict.failed}" + (f"  ({reasons})" if reasons else "")),
        ("retried", f"{found.retried}  ({found.extra_attempts} attempts beyond the first)"),
        ("lost", f"{len(verdict.lost)}"),
        ("doubled", f"{len(verdict.doubled)}"),
        ("requests", f"{books['requests']}  ({_answers(books)})"),
        ("log", f"{agrees} with what the caller saw: {states}"),
        ("wall time", f"{found.wall_s:.1f} s  (start {found.start_s:.1f} s, tasks {found.tasks_s:.1f} s)"),
    ]


def _answers(books: Report) -> str:
    return (
        f"{books['effects']} effects, {books['suppressed_duplicates']} suppressed duplicates; "
        f"{books['slow']} slow, {books['unavailable']} unavailable, {books['dropped']} dropped"
    )


def _kill_table(kills: tuple[Kill, ...]) -> Table:
    """Kills by kind, and how long each hurt; the last row is all of them."""
    table = Table(box=None, pad_edge=True, title="kills and seconds to recover", title_justify="left")
    for column in ("killed", "kills", "served p50", "served max", "replaced p50", "replaced max"):
        table.add_column(column, justify="left" if column == "killed" else "right")
    groups = {kind: [kill for kill in kills if kill.kind == kind] for kind in KINDS}
    for kind, group in {**groups, "all": list(kills)}.items():
        served = spread([kill.served_s for kill in group if kill.served_s is not None])
        replaced = spread([kill.replaced_s for kill in group if kill.replaced_s is not None])
        if group:
            table.add_row(kind, str(len(group)), *_seconds(served), *_seconds(replaced))
    table.caption = "served: its work is in other hands; replaced: its successor runs"
    table.caption_justify = "left"
    return table


def _seconds(durations: Spread | None) -> tuple[str, str]:
    return ("-", "-") if durations is None else (f"{durations.p50_s:.3f}", f"{durations.max_s:.3f}")


def _print_verdict(found: Findings, console: Console) -> None:
    if found.ok:
        console.print(
            "\n[bold green]kept[/]: every accepted key ended, every success has exactly one effect, "
            "every failure is the upstream's own",
            highlight=False,
            soft_wrap=True,
        )
        return
    console.print(f"\n[bold red]not kept[/]: {len(found.problems)} problems", highlight=False)
    for problem in found.problems[:PROBLEMS_SHOWN]:
        console.print(f"  {problem}", markup=False, highlight=False, soft_wrap=True)
    if len(found.problems) > PROBLEMS_SHOWN:
        console.print(f"  and {len(found.problems) - PROBLEMS_SHOWN} more", highlight=False)


def commands(found: Findings) -> list[str]:
    """Command lines that look into the log that this run left."""
    log = shlex.quote(found.order.log)
    lines = [f'supervisor events --log {log} "from tasks where attempts > 2 order by attempts desc limit 10"']
    if found.order.chaos:
        lines.append(f'supervisor events --log {log} "from restarts order by at_time"')
    if found.trace_id is not None:
        lines.append(f"supervisor trace {found.trace_id} --log {log}")
    return lines
