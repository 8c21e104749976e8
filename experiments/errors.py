"""The errors of chaos experiments. Each says what was refused, why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.runtime.errors import SupervisorError

if TYPE_CHECKING:
    from experiments.report.run import RunReport


class ChaosError(SupervisorError):
    """The base of errors about chaos experiments."""


class PlanRefusedError(ChaosError):
    """An experiment cannot be planned on this inventory; nothing was touched."""

    def __init__(self, experiment: str, *, problems: tuple[str, ...]) -> None:
        self.experiment = experiment
        self.problems = problems
        super().__init__(f"experiment {experiment!r} was not started: {'; '.join(problems)}")


class SafeModeError(ChaosError):
    """Safe mode forbids what the experiment asks for; nothing was touched."""

    def __init__(self, experiment: str, *, problems: tuple[str, ...], safe_mode: bool = True) -> None:
        self.experiment = experiment
        self.problems = problems
        self.safe_mode = safe_mode
        if not safe_mode:
            super().__init__(
                f"the bounds of experiment {experiment!r}, or those of the cluster's owner, forbid it: "
                f"{'; '.join(problems)}. They are the file's `safety` and the configuration's `chaos`"
            )
            return
        super().__init__(
            f"safe mode refuses experiment {experiment!r}: {'; '.join(problems)}. It is on everywhere but on embedded "
            "clusters; what may be hit opts in by `chaos.labels` of the supervisor's configuration"
        )


class HaltedError(ChaosError):
    """Chaos is halted on this cluster: nothing is injected until it is resumed."""

    def __init__(self, *, who: str, reason: str) -> None:
        self.who = who
        self.reason = reason
        super().__init__(f"chaos was halted by {who} ({reason}); `supervisor chaos halt --resume` allows runs again")


class RunStoppedError(ChaosError):
    """A run was ended before its time: by a person, a guard or its deadline. What it had on is undone."""

    def __init__(self, run: str, *, reason: str) -> None:
        self.run = run
        self.reason = reason
        super().__init__(f"run {run!r} was ended: {reason}. What it had on is undone; see `supervisor chaos list`")


class FaultUnprovenError(ChaosError):
    """Nothing but its injector tells that a fault acted: what follows from it shows nothing."""

    def __init__(self, run: str, *, faults: tuple[str, ...]) -> None:
        self.run = run
        self.faults = faults
        super().__init__(
            f"run {run!r}: nothing but the injector tells that {', '.join(faults)} acted; let the lease be longer, or "
            "let calls meet the target meanwhile"
        )


class LedgerUnwritableError(ChaosError):
    """The ledger cannot be written, so no fault may be armed: nobody would find it again."""

    def __init__(self, path: str, *, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} cannot be written ({reason}); no fault is injected that no successor could clear")


class WatchdogError(ChaosError):
    """A fault's undo could not be armed, so the fault was not injected."""

    def __init__(self, target: str, *, reason: str) -> None:
        self.target = target
        self.reason = reason
        super().__init__(f"no watchdog for {target}: {reason}; the fault was not injected. Try again")


class FaultRefusedError(ChaosError):
    """This machine, or this target, cannot bear the fault; it was not injected."""

    def __init__(self, fault: str, *, target: str, reason: str) -> None:
        self.fault = fault
        self.target = target
        self.reason = reason
        super().__init__(f"{fault} on {target} was not injected: {reason}. See `supervisor chaos plan`")


class NoDriverError(ChaosError):
    """A function of an experiment file was called where nothing connects it to a cluster."""

    def __init__(self, function: str) -> None:
        self.function = function
        super().__init__(
            f"experiments.driver.{function} is not connected to a supervisor: run the file with `supervisor "
            "chaos run`, set SUPERVISOR_NAME for Chaos Toolkit's `chaos run`, or call experiments.driver.connect first"
        )


class NodeUnreachableError(ChaosError):
    """A node does not answer; what is on there is undone by its watchdogs."""

    def __init__(self, node_id: str, *, reason: str) -> None:
        self.node_id = node_id
        self.reason = reason
        super().__init__(
            f"node {node_id[:12]} does not answer ({reason}); what is on there ends with its lease. See `ray status`"
        )


class UnknownRunError(ChaosError):
    """No run of that name is known here, or several begin so."""

    def __init__(self, run: str, *, known: tuple[str, ...], folder: str = "", several: bool = False) -> None:
        self.run = run
        self.known = known
        self.folder = folder
        self.several = several
        if several:
            super().__init__(f"several runs begin with {run!r}: {', '.join(known)}; give more of its name")
            return
        there = f"the latest are {', '.join(known)}" if known else "there is none yet"
        where = f" in {folder}" if folder else ""
        elsewhere = "; reports of another folder are found with --reports" if folder else ""
        super().__init__(f"no run {run!r} is known{where}; {there}. See `supervisor chaos list`{elsewhere}")


class RunNotGoingError(UnknownRunError):
    """No run of that name goes on: there is nothing to end."""

    def __init__(self, run: str, *, known: tuple[str, ...]) -> None:
        super().__init__(run, known=known)
        there = f"those that do are {', '.join(known)}" if known else "none does now"
        self.args = (f"no run {run!r} goes on; {there}. See `supervisor chaos list`",)


class UnknownRecommendationError(UnknownRunError):
    """A report has no recommendation of that number."""

    def __init__(self, run: str, *, number: int, known: tuple[str, ...]) -> None:
        super().__init__(run, known=known)
        self.number = number
        there = f"it has {', '.join(known)}" if known else "it has none: no event spoke for a change"
        self.args = (f"report {run!r} has no recommendation {number}; {there}. See `supervisor chaos report {run}`",)


class ReportUnreadableError(ChaosError):
    """A report is there and cannot be read back."""

    def __init__(self, run: str, *, folder: str, reason: str) -> None:
        self.run = run
        self.folder = folder
        self.reason = reason
        super().__init__(
            f"the report of run {run!r} in {folder} cannot be read ({reason}): it is damaged, somebody else's, or of "
            "another version. What was written for people is beside it"
        )


class ReportUnsavedError(ChaosError):
    """A run is over, and its report could not be written; `report` has it where it is raised."""

    report: RunReport | None = None

    def __init__(self, run: str, *, verdict: str, folder: str, reason: str) -> None:
        self.run = run
        self.verdict = verdict
        self.folder = folder
        self.reason = reason
        super().__init__(
            f"run {run!r} has ended ({verdict.replace('_', ' ')}), and its report could not be written to {folder}: "
            f"{reason}. Make room there, or give another folder; the event log has the run"
        )


class NotApplicableError(ChaosError):
    """A recommendation cannot be carried out by this command."""

    def __init__(self, change: str, *, reason: str) -> None:
        self.change = change
        self.reason = reason
        super().__init__(f"{change} was not applied: {reason}")
