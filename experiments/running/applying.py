"""Carries out a recommendation: on the running supervisor where it can, else for scenes and loads to come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from experiments.errors import NotApplicableError, UnknownRecommendationError
from experiments.model.scenes import BREAKER, GROUP, TILL
from supervisor import requests as r
from supervisor.tree import ChildPlan, GroupPlan

if TYPE_CHECKING:
    from experiments.recommend import SettingsChange
    from experiments.running.archive import Archive
    from supervisor import Supervisor

_OF_SCENES = ("policy", f"group/{GROUP}", f"child/{GROUP}.", f"child/{TILL}", f"breaker/{BREAKER}", "pool/default")
"""What scenes and loads are made of: what was changed there holds for the next ones."""

_OF_LOADS = ("attempts", "unknown", "timeout_s")
"""What a load reads of the policy."""

_AT_START = ("hang_timeout_s", "intensity")
"""Of a pool they are read when the supervisor starts; the command's own embedded one starts with what is kept."""


def change_of(archive: Archive, run: str, number: int) -> SettingsChange:
    """The change that a report recommends.

    Raises:
        UnknownRunError: There is no such report, or no such recommendation in it.
    """
    report = archive.load(run)
    found = next((each.change for each in report.recommendations if each.number == number), None)
    if found is None:
        known = tuple(f"{report.run}#{each.number}" for each in report.recommendations)
        raise UnknownRecommendationError(report.run, number=number, known=known)
    return found


def apply_change(sup: Supervisor | None, archive: Archive, run: str, number: int) -> str:
    """Carry one out; what was done, in words.

    Args:
        sup: The supervisor that runs; None: only scenes and loads to come are changed.
        archive: The reports.
        run: Which report.
        number: Which recommendation.
    Raises:
        UnknownRunError, NotApplicableError: See `ChaosHandle.apply`.
    """
    change = change_of(archive, run, number)
    if change.subject == "policy" and change.setting not in _OF_LOADS:
        raise NotApplicableError(str(change), reason=f"no load reads it; they read {', '.join(_OF_LOADS)}")
    done = "" if sup is None else _on_running(sup, change)
    if change.subject.startswith(_OF_SCENES):
        archive.keep_settings(change.applied(archive.settings()))
        done = done or f"scenes and loads of {archive.folder} are built so from now on"
    if not done:
        raise NotApplicableError(
            str(change), reason="nothing of that name runs; apply it where it does, by --name and --address"
        )
    return f"{change}: {done}"


def _on_running(sup: Supervisor, change: SettingsChange) -> str:
    """What was done on the running supervisor; nothing where it has no such thing."""
    kind, _, name = change.subject.partition("/")
    match kind:
        case "child" | "group":
            return _in_tree(sup, change, change.subject if kind == "child" else name)
        case "pool" if change.setting == "standbys" and name in sup.status().pools:
            sup.tree_client.resize(f"pool:{name}", size=None, standbys=int(change.after))
            return "the pool was resized"
        case "pool" if change.setting in _AT_START:
            reason = f"pools.{name}.{change.setting} is read when the supervisor starts"
            raise NotApplicableError(str(change), reason=f"{reason}: set it in its configuration, and start it anew")
        case "breaker" if name in sup.breakers().names:
            sup.breakers().configure(name, reason="a chaos experiment's finding", **{change.setting: change.after})
            return "the breaker was configured"
        case _:
            return ""


def _in_tree(sup: Supervisor, change: SettingsChange, member: str) -> str:
    plan: Any = sup.tree_client.plans((member,)).get(member)
    match plan:
        case ChildPlan() if change.setting == "standbys":
            sup.tree_client.resize(member, size=None, standbys=int(change.after))
            return "standbys come up"
        case ChildPlan():
            sup.tree_client.ask(r.Change(children=(replace(plan, **{change.setting: change.after}),)), member)
            return "the child was changed"
        case GroupPlan():
            sup.tree_client.ask(r.Change(groups=(replace(plan, **{change.setting: change.after}),)), member)
            return "the group was changed"
        case _:
            return ""
