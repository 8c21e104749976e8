"""`sup.chaos`: plan, run, stop, halt, and what came of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from actors.runtime.errors import ConfigError, SupervisorError
from actors.runtime.settings import shown
from experiments.errors import HaltedError, PlanRefusedError
from experiments.hands.hands import Hands
from experiments.hands.places import insist_on_name
from experiments.ledger.standing import over_limit
from experiments.model.loading import library_names, load_experiment
from experiments.model.placing import Placed
from experiments.planning.planning import require, seed_of
from experiments.running import halting
from experiments.running.afterword import tell_of_gone
from experiments.running.apart import run_apart
from experiments.running.applying import apply_change
from experiments.running.archive import FOLDER, Archive, run_name
from experiments.running.arranging import arrange
from experiments.running.books import clear_gone, standing
from experiments.running.interrupting import see_through
from experiments.running.performing import Performance
from experiments.running.staging import Stage
from experiments.running.survey import INJECTOR
from experiments.scheduling.campaign import SEEDS_MAX, Campaign, SeededRun, conclude, seeds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from experiments.model.experiment import Experiment
    from experiments.model.placing import Places
    from experiments.planning.plan import Plan
    from experiments.report.run import RunReport
    from experiments.running.arranging import Arranged
    from supervisor import Supervisor

_RUNS = """
    SELECT run, experiment, state, verdict, score, seed, started_at, ended_at, injected, proven, recovered, lost,
           trace_id
    FROM chaos_experiments ORDER BY started_at DESC LIMIT ?
"""
_SHOWN = 100


class ChaosHandle:
    """A supervisor's experiments. For coroutines each call that takes time has one that begins with `a`.

    Args:
        sup: The supervisor.
        reports: The folder of reports; left out, `chaos-reports` beside the event log.
    """

    def __init__(self, sup: Supervisor, *, reports: str | Path | None = None) -> None:
        self._sup = sup
        self.archive = Archive(Path(reports) if reports is not None else Path(sup.config.log.path).parent / FOLDER)

    # -- running ------------------------------------------------------------------------------------------------------

    @overload
    def run(
        self,
        experiment: Experiment | Mapping[str, Any] | str | Path,
        *,
        seed: int | None = ...,
        dry_run: Literal[False] = ...,
        scene: bool | None = ...,
        name: str | None = ...,
    ) -> RunReport: ...

    @overload
    def run(
        self,
        experiment: Experiment | Mapping[str, Any] | str | Path,
        *,
        seed: int | None = ...,
        dry_run: Literal[True],
        scene: bool | None = ...,
        name: str | None = ...,
    ) -> Plan: ...

    def run(
        self,
        experiment: Experiment | Mapping[str, Any] | str | Path,
        *,
        seed: int | None = None,
        dry_run: bool = False,
        scene: bool | None = None,
        name: str | None = None,
    ) -> RunReport | Plan:
        """Run an experiment and wait for its verdict. Whatever ends it, nothing is left on.

        Where the program is told to end meanwhile, the run ends, its report is saved, and then the program does:
        SystemExit, by which Ray answers SIGTERM, goes on from here; Ctrl-C gives the report, its verdict aborted.

        Args:
            experiment: A name of the library, a file's path, a mapping, or an `Experiment`.
            seed: Instead of the experiment's own.
            dry_run: Only plan it, as `plan` does.
            scene: Build what the experiment's scene lacks, and take it away afterwards; left out, on embedded clusters.
            name: The run's name, that no other has had; left out, one is made up.

        Raises:
            ConfigError: The experiment is wrong, each problem with its line and path; or its name or seed is, or no
                report can be written.
            ReportUnsavedError: It has ended, and its report could not be written; the error has it.
            HaltedError: Chaos is halted here.
            SafeModeError: Safe mode, or the experiment's own bounds, forbid it.
            PlanRefusedError: It cannot be carried out here; every reason is named, and nothing was touched.
        """
        placed = Placed.load(experiment)
        if dry_run:
            return self.plan(placed.experiment, seed=seed, scene=scene)
        return self.run_placed(placed, seed=seed, scene=scene, name=name)

    def run_placed(
        self, placed: Placed, *, seed: int | None = None, scene: bool | None = None, name: str | None = None
    ) -> RunReport:
        """`run` of what was read already."""
        loaded, places = placed.experiment, placed.places
        seed_of(loaded, seed)
        run = self._named(loaded, name)
        self.archive.insist()
        build = self._sup.embedded if scene is None else scene
        hands = Hands(self._sup.name)
        try:
            clear_gone(hands, self._sup.name)
            self._tell_of_gone(hands)
            _insist_on_no_halt(hands)
            _insist_on_room(hands, loaded, self._sup.config.chaos.experiments_max)
            with Stage(self._sup, loaded.chaos.scene, build=build, settings=self.archive.settings()) as stage:
                arranged = arrange(self._sup, hands, loaded, seed=seed)
                _require(arranged.plan, places)
                perform, stop = self._performance(hands, stage, loaded, arranged, run)
                seen = see_through(lambda: self._kept(perform(), places), stop)
        finally:
            hands.close()
        report = seen.result
        if seen.leaving is not None and not (isinstance(seen.leaving, KeyboardInterrupt) and report.was_interrupted):
            raise seen.leaving
        return report

    def _performance(
        self, hands: Hands, stage: Stage, loaded: Experiment, arranged: Arranged, run: str
    ) -> tuple[Callable[[], RunReport], Callable[[str], None]]:
        """What carries it out, and what has it end early, given why."""
        if INJECTOR in arranged.plan.targets:
            perform = partial(run_apart, self._sup, hands, loaded, arranged, run=run)
            return perform, lambda why: halting.end_own(self._sup.name, run, why=why)
        performance = Performance(self._sup, hands, stage, loaded, arranged, run=run)
        return performance.perform, performance.stop

    def _kept(self, report: RunReport, places: Places) -> RunReport:
        """The report, in the folder of reports."""
        if report.verdict.kind == "not_started":
            placed = tuple(map(places.place, report.verdict.reasons))
            report = replace(report, verdict=replace(report.verdict, reasons=placed))
        self.archive.save(report)
        return report

    def _named(self, experiment: Experiment, name: str | None) -> str:
        if name is None:
            return run_name(experiment.name)
        insist_on_name(name)
        if name in self.archive.names():
            raise ConfigError("run", problems=(f"name: there is a report of a run {name!r} already; give another",))
        return name

    def plan(
        self,
        experiment: Experiment | Mapping[str, Any] | str | Path,
        *,
        seed: int | None = None,
        scene: bool | None = None,
    ) -> Plan:
        """What would be done to whom, with every reason why it may not; nothing is touched.

        The same seed on the same cluster gives the same plan, byte by byte (`plan.as_bytes()`). What `run` would look
        at besides is in `plan.unchecked`.

        Args:
            experiment: See `run`.
            seed: See `run`.
            scene: Plan it as if what its scene lacks were there already; left out, on embedded clusters, as `run`.

        Raises:
            ConfigError: The experiment is wrong.
        """
        foresee = self._sup.embedded if scene is None else scene
        hands = Hands(self._sup.name)
        try:
            return arrange(self._sup, hands, load_experiment(experiment), seed=seed, foresee=foresee).plan
        finally:
            hands.close()

    def campaign(
        self,
        experiment: Experiment | Mapping[str, Any] | str | Path,
        *,
        seeds: int,
        scene: bool | None = None,
        on_run: Callable[[RunReport], None] | None = None,
    ) -> Campaign:
        """Run an experiment under many seeds, its own first, one after the other.

        Args:
            experiment: See `run`.
            seeds: How many.
            scene: See `run`; it is built once, and stays for all of them.
            on_run: Told of each run as it ends.

        Returns: What those came to that were run: one that is interrupted is the last.
        Raises: As `run`; what ran before stays on record.
        """
        return self.campaign_placed(Placed.load(experiment), seeds=seeds, scene=scene, on_run=on_run)

    def campaign_placed(
        self,
        placed: Placed,
        *,
        seeds: int,
        scene: bool | None = None,
        on_run: Callable[[RunReport], None] | None = None,
    ) -> Campaign:
        """`campaign` of what was read already."""
        loaded = placed.experiment
        if isinstance(seeds, bool) or not isinstance(seeds, int) or not 1 <= seeds <= SEEDS_MAX:  # pyright: ignore[reportUnnecessaryIsInstance] - users give what they like
            raise ConfigError(
                "campaign", problems=(f"seeds: {shown(seeds)} is no whole number from 1 to {SEEDS_MAX:,}",)
            )
        runs: list[SeededRun] = []
        build = self._sup.embedded if scene is None else scene
        with Stage(self._sup, loaded.chaos.scene, build=build, settings=self.archive.settings()):
            for seed in seeds_of(loaded.chaos.seed, seeds):
                report = self.run_placed(placed, seed=seed, scene=build)
                if on_run is not None:
                    on_run(report)
                runs.append(
                    SeededRun(
                        seed=seed,
                        verdict=report.verdict.kind,
                        score=report.verdict.score,
                        recover_s=report.seen.worst("recover_s"),
                        reasons=report.verdict.reasons,
                        run=report.run,
                    )
                )
                if report.was_interrupted:
                    break  # whoever says so means all of it
        return conclude(runs)

    # -- looking ------------------------------------------------------------------------------------------------------

    def library(self) -> tuple[str, ...]:
        """The names of the experiments that come with this package."""
        return library_names()

    def list(self) -> list[dict[str, Any]]:
        """The latest runs as the event log has them, the newest first."""
        return self._sup.events.query(_RUNS, [_SHOWN])

    def active(self) -> dict[str, tuple[str, ...]]:
        """What is on now: runs that go on, with their faults, as the ledgers of all nodes tell."""
        hands = Hands(self._sup.name)
        try:
            seen, _ = standing(hands)
        finally:
            hands.close()
        return {name: tuple(run.active) for name, run in seen.runs.items() if run.goes_on or run.active}

    def report(self, run: str) -> RunReport:
        """The report of a run of this folder, by its name or its beginning.

        Raises:
            UnknownRunError: There is none.
        """
        return self.archive.load(run)

    # -- ending -------------------------------------------------------------------------------------------------------

    def stop(self, run: str, *, why: str, who: str | None = None) -> tuple[str, ...]:
        """End a run and undo what it has on, from any process of the cluster; what is on still, in words.

        Raises:
            UnknownRunError: None of that name goes on.
        """
        return halting.stop(self._sup.name, run, why=why, who=who)

    def halt(self, *, why: str, who: str | None = None) -> tuple[str, ...]:
        """End everything on the whole cluster and refuse new runs until `resume`; what is on still, in words."""
        return halting.halt(self._sup.name, why=why, who=who)

    def resume(self) -> None:
        """Allow runs again."""
        halting.resume(self._sup.name)

    def clear(self) -> tuple[str, ...]:
        """End what runners that are gone have left on; what was done, in words. Every run does so before it begins."""
        hands = Hands(self._sup.name)
        try:
            done = clear_gone(hands, self._sup.name)
            self._tell_of_gone(hands)
        finally:
            hands.close()
        return done

    def _tell_of_gone(self, hands: Hands) -> None:
        with suppress(SupervisorError):  # without a log whoever comes next tells it
            tell_of_gone(self._sup.events, hands)

    def apply(self, run: str, number: int) -> str:
        """Carry out a recommendation of a report; what was changed, in words.

        Raises:
            UnknownRunError: There is no such report, or no recommendation of that number in it.
            NotApplicableError: It is about something that only a configuration file can change; the message says which.
        """
        return apply_change(self._sup, self.archive, run, number)

    # -- for coroutines -----------------------------------------------------------------------------------------------

    async def arun(
        self,
        experiment: Experiment | Mapping[str, Any] | str | Path,
        *,
        seed: int | None = None,
        scene: bool | None = None,
        name: str | None = None,
    ) -> RunReport:
        """`run` for a coroutine; one that is cancelled ends the run, and waits until nothing of it is on."""
        placed = Placed.load(experiment)
        run = self._named(placed.experiment, name)
        perform = partial(self.run_placed, placed, seed=seed, scene=scene, name=run)
        going = asyncio.ensure_future(asyncio.to_thread(perform))
        try:
            return await asyncio.shield(going)
        except asyncio.CancelledError:
            await asyncio.to_thread(halting.end_own, self._sup.name, run, why="whoever awaited it was cancelled")
            await asyncio.wait({going})
            Hands(self._sup.name).own.forget_stop(run)
            raise

    async def aplan(
        self,
        experiment: Experiment | Mapping[str, Any] | str | Path,
        *,
        seed: int | None = None,
        scene: bool | None = None,
    ) -> Plan:
        """`plan` for a coroutine."""
        return await asyncio.to_thread(partial(self.plan, experiment, seed=seed, scene=scene))

    async def astop(self, run: str, *, why: str, who: str | None = None) -> tuple[str, ...]:
        """`stop` for a coroutine."""
        return await asyncio.to_thread(partial(self.stop, run, why=why, who=who))

    async def ahalt(self, *, why: str, who: str | None = None) -> tuple[str, ...]:
        """`halt` for a coroutine."""
        return await asyncio.to_thread(partial(self.halt, why=why, who=who))


def _require(plan: Plan, places: Places) -> None:
    """See `require`; what it is refused for is told with its place in the file."""
    require(replace(plan, refusals=tuple(replace(each, words=places.place(each.words)) for each in plan.refusals)))


def _insist_on_room(hands: Hands, experiment: Experiment, limit: int) -> None:
    """As a plan does, but before a scene is built: what is built anew may be what those that run stand on."""
    seen, _ = standing(hands)
    if why := over_limit(limit, [each.run for each in seen.going]):
        raise PlanRefusedError(experiment.name, problems=(why,))


def _insist_on_no_halt(hands: Hands) -> None:
    """A plan is refused, too, where chaos is halted; but it is made of a scene that would be built for nothing."""
    halted = hands.own.halted()
    if halted is not None:
        raise HaltedError(who=halted.who, reason=halted.why)
