"""Erlang/OTP's supervisor, as its documentation tells it: one thing after another, and nothing takes time.

Written apart from the machine, and in another way: a restart is a loop here, not a list that is worked off. It knows
who has a spec, who is up, and how many lives everybody had.

Source: Erlang/OTP, `supervisor` (stdlib reference manual), "Supervision Principles", "Tuning the intensity and period".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from supervisor.tree import AutoShutdown, ExitClass, Restart, Strategy

ROOT = "root"
Reply = Literal["ok", "running", "already_started", "already_present", "not_found", "no_group", "down", "start_failed"]
"""What a request is answered; "down": the group that it is about is not up."""


@dataclass
class Member:
    """A child, or what a group has in common with one."""

    name: str
    restart: Restart = "permanent"
    up: bool = False


@dataclass
class Worker(Member):
    """A child: how many lives it had, and whether its next start fails."""

    significant: bool = False
    lives: int = 0
    flaky: bool = False


@dataclass
class Group(Member):
    """A supervisor."""

    strategy: Strategy = "one_for_one"
    intensity: int = 1
    period_s: float = 5.0
    auto_shutdown: AutoShutdown = "never"
    members: list[Member] = field(default_factory=list[Member])
    restarted_at: list[float] = field(default_factory=list[float])

    def find(self, name: str) -> tuple[Group, Member] | None:
        """A member at any depth, and the group that it is in."""
        for member in self.members:
            if member.name == name:
                return self, member
            found = member.find(name) if isinstance(member, Group) else None
            if found is not None:
                return found
        return None

    def workers(self) -> Iterator[Worker]:
        for member in self.members:
            if isinstance(member, Worker):
                yield member
            elif isinstance(member, Group):
                yield from member.workers()

    def groups(self) -> Iterator[Group]:
        yield self
        for member in self.members:
            if isinstance(member, Group):
                yield from member.groups()


class Otp:
    """A tree of supervisors; the root stays to be asked when it has failed."""

    def __init__(self, root: Group) -> None:
        self.root = root
        self.now = 0.0
        self.lives: dict[str, int] = {}

    # -- starting and ending ----------------------------------------------------------------------------------------

    def start(self, member: Member) -> bool:
        """Start it; a group's members in order, and if one fails, those that are up end again."""
        if isinstance(member, Worker):
            member.lives = self.lives[member.name] = self.lives.get(member.name, 0) + 1
            member.up, member.flaky = not member.flaky, False
            return member.up
        assert isinstance(member, Group)
        member.up, member.restarted_at = True, []
        if all(self.start(each) for each in member.members):
            return True
        self.end(member)
        return False

    def end(self, member: Member) -> None:
        """End it; a group's members in reverse, and the temporary ones among them are forgotten."""
        if isinstance(member, Group):
            for each in reversed(list(member.members)):
                self.end_within(member, each)
        member.up = False

    def end_within(self, group: Group, member: Member) -> None:
        was_up = member.up
        self.end(member)
        if was_up and member.restart == "temporary":
            group.members.remove(member)

    # -- exits ------------------------------------------------------------------------------------------------------

    def exit(self, name: str, exit_class: ExitClass) -> None:
        """A child ended by itself."""
        found = self.root.find(name)
        assert found is not None
        group, member = found
        member.up = False
        self._exited(group, member, exit_class)

    def _exited(self, group: Group, member: Member, exit_class: ExitClass) -> None:
        if member.restart == "permanent" or (
            member.restart == "transient" and exit_class not in ("normal", "shutdown")
        ):
            self._restart(group, member)
            return
        if member.restart == "temporary":
            group.members.remove(member)
        if isinstance(member, Worker) and member.significant and self._ends_with_it(group):
            self.end(group)
            self._group_exited(group)

    @staticmethod
    def _ends_with_it(group: Group) -> bool:
        others = any(isinstance(each, Worker) and each.significant and each.up for each in group.members)
        return group.auto_shutdown == "any_significant" or (group.auto_shutdown == "all_significant" and not others)

    def _group_exited(self, group: Group) -> None:
        """A supervisor ends with reason `shutdown`."""
        if group is not self.root:
            found = self.root.find(group.name)
            assert found is not None
            self._exited(*found, "shutdown")

    def _restart(self, group: Group, member: Member) -> None:
        failed: Member | None = member
        while failed is not None:
            if not self._may_restart(group):
                self.end(group)
                self._group_exited(group)
                return
            replaced = self._replaced(group, failed)
            for each in reversed(replaced):
                if each.up:
                    self.end_within(group, each)
            failed = next((each for each in replaced if each in group.members and not self.start(each)), None)

    def _may_restart(self, group: Group) -> bool:
        group.restarted_at = [at for at in group.restarted_at if self.now - at <= group.period_s] + [self.now]
        return len(group.restarted_at) <= group.intensity

    @staticmethod
    def _replaced(group: Group, member: Member) -> list[Member]:
        match group.strategy:
            case "one_for_one":
                return [member]
            case "one_for_all":
                return list(group.members)
            case "rest_for_one":
                return group.members[group.members.index(member) :]

    # -- administration ---------------------------------------------------------------------------------------------

    def terminate(self, name: str) -> Reply:
        found = self.root.find(name)
        if found is None:
            return "not_found"
        group, member = found
        self.end(member)
        if member.restart == "temporary":
            group.members.remove(member)
        return "ok"

    def restart(self, name: str) -> Reply:
        if name == ROOT:
            return "running" if self.root.up else "ok" if self.start(self.root) else "start_failed"
        found = self.root.find(name)
        if found is None:
            return "not_found"
        group, member = found
        if member.up:
            return "running"
        if not group.up:
            return "down"
        if self.start(member):
            return "ok"
        if member.restart == "temporary":
            group.members.remove(member)
        return "start_failed"

    def delete(self, name: str) -> Reply:
        found = self.root.find(name)
        if found is None:
            return "not_found"
        group, member = found
        if member.up:
            return "running"
        group.members.remove(member)
        return "ok"

    def add(self, path: str, member: Member) -> Reply:
        found = (None, self.root) if path == ROOT else self.root.find(path)
        if found is None or not isinstance(found[1], Group):
            return "no_group"
        group, there = found[1], self.root.find(member.name)
        if there is not None:
            return "already_started" if there[1].up else "already_present"
        if not group.up:
            return "down"
        group.members.append(member)
        if self.start(member):
            return "ok"
        group.members.remove(member)
        return "start_failed"
