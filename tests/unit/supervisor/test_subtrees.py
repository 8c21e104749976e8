"""What the supervisor above keeps of groups that are supervisor actors of their own, and whose business what is."""

from __future__ import annotations

import pickle
from typing import Any, cast

import pytest

from supervisor import requests as r
from supervisor.change_feed import ChangeFeed
from supervisor.changes import ChangeFollower
from supervisor.messages import ClusterView
from supervisor.subtrees import Subtrees
from supervisor.supervision.ledger import ChildEntry, GroupEntry, Ledger
from supervisor.tree import TOP, ChildPlan, GroupPlan, Status
from tests.unit.supervisor.test_subtree_views import WHOLE, child_view, left


class Above:
    """The supervisor above, as far as subtrees need it: the statuses of its children tell what is in its tree."""

    def __init__(self, **statuses: Status) -> None:
        self.times = 0
        self.feed = ChangeFeed(1)
        self.statuses: dict[str, Status] = {
            f"supervisor/{path.replace('_', '.')}": status for path, status in statuses.items()
        }
        self.machine = self

    def stir(self) -> None:
        self.times += 1

    def plan_of(self, key: str) -> ChildPlan | None:
        return ChildPlan(key=key) if key in self.statuses else None

    def status_of(self, key: str) -> Status | None:
        return self.statuses.get(key)


def subtrees_of(**statuses: Status) -> tuple[Subtrees, Above]:
    subtrees, above = Subtrees("s"), Above(**statuses)
    subtrees.engine = cast("Any", above)
    return subtrees, above


def seen_above(status: Status = "running") -> ClusterView:
    """A leader's own view: of the subtree `far` it knows only that."""
    children = (child_view("supervisor/far", "root", status=status),)
    return ClusterView(leader="s/supervisor/root#2", incarnation=2, children=children)


# -- one tree for those who look --------------------------------------------------------------------------------------


def test_a_new_leader_shows_what_is_below_before_it_follows_it() -> None:
    """A view without them would tell every caller that they were deleted."""
    subtrees, _ = subtrees_of(far="starting")
    subtrees.inherit({"far": left("a", "b")}, WHOLE)
    whole = subtrees.complete(seen_above("starting"))
    statuses = {each.key: each.status for each in whole.children}
    assert statuses == {"supervisor/far": "starting", "child/far.a": "running", "child/far.b": "running"}
    assert whole.groups["far"].parent == "root"


@pytest.mark.parametrize(("status", "shown"), [("stopped", "stopped"), ("restarting", "restarting")])
def test_what_an_ended_subtree_announced_last_has_ended_with_it(status: Status, shown: Status) -> None:
    subtrees, above = subtrees_of(far=status)
    subtrees.ended("far")
    subtrees.inherit({"far": left("a")}, WHOLE)
    subtrees.ended("far")
    whole = subtrees.complete(seen_above(status))
    assert [(each.key, each.status) for each in whole.children] == [("supervisor/far", status), ("child/far.a", shown)]
    assert (whole.groups["far"].status, whole.groups["far"].parent) == (shown, "root")
    assert above.times == 2


# -- what outlives a life ---------------------------------------------------------------------------------------------


def test_what_ended_leaves_its_plans_and_no_statuses() -> None:
    subtrees, _ = subtrees_of(far="stopped")
    subtrees.inherit({"far": left("a"), "far.eu": left("b", path="far.eu"), "other": left("c", path="other")})
    subtrees.ended("far")
    statuses = {
        path: {entry.status for entry in (*kept.children, *kept.groups)} for path, kept in subtrees.ledgers().items()
    }
    assert statuses == {"far": {"stopped"}, "far.eu": {"stopped"}, "other": {"running"}}


def test_what_is_not_in_the_tree_any_more_is_forgotten_with_what_is_below_it() -> None:
    """Another group may get the path: it must not begin with the old one's members."""
    subtrees, _ = subtrees_of()
    assert subtrees.keep_only(lambda _: False) == []
    ledgers = {path: Ledger(floor=number) for number, path in enumerate(("shop", "shop.eu", "stock.eu", "shopping"))}
    subtrees.inherit(ledgers)
    assert subtrees.keep_only({"shop", "stock"}.__contains__) == [ledgers["shopping"]], "whose names may come again"
    assert set(subtrees.ledgers()) == {"shop", "shop.eu", "stock.eu"}
    subtrees.keep_only({"stock"}.__contains__)
    assert set(subtrees.ledgers()) == {"stock.eu"}


# -- whose business something is --------------------------------------------------------------------------------------


def test_what_is_in_a_subtree_is_its_business_whether_it_is_followed_or_not() -> None:
    subtrees, _ = subtrees_of(far="restarting", g_eu="running")
    assert subtrees.of_member("child/far.ward") == "far"
    assert subtrees.of_member("far.inner") == "far"
    assert subtrees.of_member("child/g.eu.ward") == "g.eu"
    assert [subtrees.of_member(other) for other in ("supervisor/far", "child/farther", "g", "child/g.a")] == [None] * 4
    added = r.AddMembers(children=(ChildPlan(key="child/far.late", group="far"),))
    assert subtrees.of_request(added) == "far"
    assert subtrees.of_request(r.AddMembers(groups=(GroupPlan(path="far.inner", parent="far"),))) == "far"
    assert subtrees.of_request(r.AddMembers(children=(ChildPlan(key="supervisor/far", group="root"),))) is None
    assert subtrees.of_request(r.Change(order=("child/far.a",))) == "far"
    assert subtrees.of_request(r.Change()) is None
    assert subtrees.of_request(r.Terminate(member="supervisor/far")) is None


def test_who_asks_for_something_in_a_subtree_that_is_not_followed_asks_again() -> None:
    for status in ("starting", "running", "restarting", "waiting", "stopping"):
        subtrees, _ = subtrees_of(far=cast("Status", status))
        assert subtrees.administer("far", "r", b"", 1.0) is None
        assert not subtrees.announce_exit("far", "s/child/far.a#1", "normal")
        assert subtrees.accepts("far", "s/child/far.a#1") is None


@pytest.mark.parametrize("status", ["stopped", "given_up", "ignored"])
def test_who_asks_for_something_in_a_subtree_that_stays_away_is_told_so(status: Status) -> None:
    subtrees, _ = subtrees_of(far=status)
    said = subtrees.administer("far", "r", b"", 1.0)
    assert said is not None
    answer = pickle.loads(said)
    assert (answer.request, answer.problem, answer.detail) == ("r", "stopping", f"its group far is {status}")


# -- notifications ----------------------------------------------------------------------------------------------------


def heard(above: Above) -> list[tuple[str, str, str]]:
    above.feed.begin(())
    follower = ChangeFollower(states=())
    batch = above.feed.changes(*follower.known, 0.0)
    assert batch is not None
    return [(change.key, change.event, change.status) for change in follower.take(batch)]


def test_whoever_subscribes_hears_that_what_was_below_has_ended_or_is_forgotten() -> None:
    subtrees, above = subtrees_of(far="stopped")
    subtrees.inherit({"far": left("a")}, WHOLE)
    for _ in range(2):
        subtrees.ended("far")
    subtrees.keep_only(lambda _: False)
    assert heard(above) == [("child/far.a", "stopped", "stopped"), ("child/far.a", "deleted", "stopped")]
    assert subtrees.told() == []


def test_a_new_leader_tells_of_what_is_below_as_its_predecessor_left_it() -> None:
    subtrees, _ = subtrees_of(far="starting")
    subtrees.inherit({"far": left("a", "b"), "far.eu": left("c", path="far.eu")}, WHOLE)
    told = {(state.key, state.incarnation, state.role) for state in subtrees.told()}
    assert told == {("child/far.a", 1, "active"), ("child/far.b", 3, "service"), ("child/far.eu.c", 3, "service")}


def test_what_a_predecessor_knew_to_have_ended_is_shown_as_coming_back_with_its_subtree() -> None:
    subtrees, _ = subtrees_of(far="starting")
    ended = Ledger(
        children=(
            ChildEntry(
                plan=ChildPlan(key="child/far.a", group="far"), status="stopped", incarnation=1, last=1, restarts=0
            ),
        ),
        groups=(
            GroupEntry(
                plan=GroupPlan(path=TOP, parent=None),
                status="stopped",
                members=(),
                restarted_ago_s=(),
                restarts=0,
                failure=None,
            ),
        ),
    )
    subtrees.inherit({"far": ended})
    assert [each.status for each in subtrees.complete(seen_above("starting")).children] == ["starting", "restarting"]
