"""The supervisor's own failover on a real Ray: leaders and standbys are killed and stopped, and nobody else notices."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
import ray
from ray.exceptions import GetTimeoutError, RayError, RaySystemError

from actors.node_agent.actor import ledger_on_board
from actors.runtime.errors import StaleIncarnationError
from supervisor import Supervisor, link
from supervisor.election import actor_by_name, elect, find_leader, inventory, leader_name
from supervisor.link import LeaderLink, wait_until
from supervisor.requests import House
from supervisor.vigil import Vigil
from tests.ray_local import wards
from tests.ray_local.conftest import unique_name


def slow_square(number: int) -> int:
    time.sleep(0.002)
    return number * number


def answer(ref: Any) -> Any:
    return ray.get(ref)


def standby_of(sup: Supervisor) -> int:
    """The pid of the standby that is announced; it may change between two looks."""
    where = sup.status().standby_location
    assert where is not None, "nobody stands by"
    return where.process.pid


def is_replaced(sup: Supervisor, lost: int) -> bool:
    where = sup.status().standby_location
    return where is not None and where.process.pid != lost


def whole(sup: Supervisor, family: Any) -> bool:
    return family.restored() and sup.status().standby is not None


@pytest.fixture
def complete(sup: Supervisor, family: Any, eventually: Any) -> Supervisor:
    """A supervisor whose tree runs, and for whose leader another stands by."""
    eventually(lambda: whole(sup, family), "the tree and the standby")
    return sup


def roots(sup: Supervisor) -> list[int]:
    return [actor.incarnation for actor in inventory(sup.name) if actor.alive and actor.key == "supervisor/root"]


# -- the leader dies ---------------------------------------------------------------------------------------------------


def test_a_killed_leader_is_succeeded_by_its_standby_and_nobody_notices(
    complete: Supervisor, family: Any, eventually: Any
):
    before, heir = family.pids(), standby_of(complete)
    futures = [complete.submit(slow_square, n) for n in range(3000)]
    os.kill(family.leader_pid(), signal.SIGKILL)
    futures += [complete.submit(slow_square, n) for n in range(500)]
    eventually(lambda: complete.status().incarnation == 2, "the standby's office")
    where = complete.status().leader_location
    assert where is not None
    assert where.process.pid == heir
    assert [future.result(timeout=60) for future in futures] == [n * n for n in (*range(3000), *range(500))]
    assert all(future.attempts == 1 for future in futures)
    eventually(lambda: whole(complete, family), "the adoption of all children, and the next standby")
    assert family.pids() == before
    assert complete.events.query("from restarts") == []
    assert roots(complete) == [2, 3]


def test_leaders_killed_one_after_the_other_are_succeeded_each_time(complete: Supervisor, family: Any, eventually: Any):
    complete.supervise(wards.Ward, name="ward")
    before = family.pids()
    for incarnation in range(2, 6):
        os.kill(family.leader_pid(), signal.SIGKILL)
        assert complete.root.spec("ward")["restart"] == "'permanent'", "its successor knows the tree before it is asked"
        eventually(lambda n=incarnation: complete.status().incarnation == n, "the standby's office")
        eventually(lambda: whole(complete, family), "the next standby")
        assert complete.submit(slow_square, incarnation).result(timeout=30) == incarnation**2
    assert family.pids() == before


def test_leader_and_standby_killed_together_are_succeeded_by_a_new_one_that_knows_the_ledger(
    complete: Supervisor, family: Any, eventually: Any
):
    before = family.pids()
    eventually(lambda: ledger_on_board(complete.name) is not None, "a copy of the ledger on the board")
    futures = [complete.submit(slow_square, n) for n in range(1000)]
    leader, standby = family.leader_pid(), standby_of(complete)
    os.kill(standby, signal.SIGKILL)
    os.kill(leader, signal.SIGKILL)
    assert [future.result(timeout=60) for future in futures] == [n * n for n in range(1000)]
    eventually(lambda: complete.status().incarnation > 2, "a new leader")
    eventually(lambda: whole(complete, family), "the adoption of all children, and a standby")
    assert family.pids() == before
    assert all(future.attempts == 1 for future in futures)


def test_leader_standby_and_agent_killed_together_leave_the_handle_to_make_the_next(
    complete: Supervisor, family: Any, eventually: Any
):
    before = family.pids()
    agent = next(key for key in before if key.startswith("node_agent/"))
    for pid in (before[agent], standby_of(complete), family.leader_pid()):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: complete.status().incarnation > 2, "a new leader")
    eventually(lambda: family.restored(after={"": before[agent]}), "the agent's successor")
    assert {key: pid for key, pid in family.pids().items() if key != agent} == {
        key: pid for key, pid in before.items() if key != agent
    }


# -- the leader hangs --------------------------------------------------------------------------------------------------


def test_a_hung_leader_is_killed_before_it_is_succeeded(
    complete: Supervisor, family: Any, eventually: Any, is_alive: Any
):
    before, old = family.pids(), family.leader_pid()
    os.kill(old, signal.SIGSTOP)
    eventually(lambda: complete.status().incarnation == 2, "the standby's office")
    eventually(lambda: not is_alive(old), "the last of the old leader: it gives its memory back")
    eventually(lambda: whole(complete, family), "the adoption of all children, and the next standby")
    assert family.pids() == before
    assert complete.events.query("from restarts") == []


def test_a_leader_that_was_only_slow_goes_on_leading(complete: Supervisor, family: Any, eventually: Any):
    before, old, heir = family.pids(), family.leader_pid(), standby_of(complete)
    os.kill(old, signal.SIGSTOP)
    until = time.monotonic() + 1.5
    wait_until(lambda: time.monotonic() > until, 5.0)
    os.kill(old, signal.SIGCONT)
    eventually(lambda: whole(complete, family), "its tree")
    victim = family.signal("worker/default-0")
    eventually(lambda: family.restored(after={"": victim}), "its care for a worker")
    assert complete.status().incarnation == 1
    assert (family.leader_pid(), standby_of(complete)) == (old, heir)
    assert {key: pid for key, pid in family.pids().items() if pid in before.values()}.keys() >= before.keys() - {
        "worker/default-0"
    }


def test_a_replaced_leader_that_comes_back_changes_nothing_and_ends(
    start: Any, family_of: Any, eventually: Any, is_alive: Any
):
    """Without a standby nobody kills it before its successor leads; meanwhile one of its children was replaced."""
    sup = start(standby=False)
    family = family_of(sup)
    eventually(family.restored, "everything")
    old = family.leader_pid()
    os.kill(old, signal.SIGSTOP)
    incarnation, _ = elect(sup._charter, after=1)
    successor = Supervisor.connect(sup.name)
    eventually(lambda: successor.status().incarnation == incarnation == 2, "the successor's view")
    theirs = family_of(successor)
    victim = theirs.signal("worker/default-0")
    eventually(lambda: theirs.restored(after={"": victim}), "a child that only the successor knows")
    before = theirs.pids()
    with suppress(ProcessLookupError):  # on a slow machine an agent took it for hung meanwhile, and killed it
        os.kill(old, signal.SIGCONT)
    eventually(lambda: not is_alive(old), "the end of the replaced leader")
    assert [sup.submit(slow_square, n).result(timeout=30) for n in range(20)] == [n * n for n in range(20)]
    rows = sup.events.query("select child, exit_class, reason, leader from restarts")
    assert [(row["child"], row["leader"]) for row in rows] == [("worker/default-0", 2)], rows
    assert theirs.pids() == before
    assert theirs.restored()
    assert roots(sup) == [2]
    successor.close()


# -- the standby -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [pytest.param(signal.SIGKILL, marks=pytest.mark.soak), signal.SIGSTOP])
def test_a_lost_or_hung_standby_is_replaced(
    complete: Supervisor, family: Any, eventually: Any, is_alive: Any, number: signal.Signals
):
    lost = standby_of(complete)
    os.kill(lost, number)
    eventually(lambda: not is_alive(lost), "the end of the standby")
    eventually(lambda: whole(complete, family) and is_replaced(complete, lost), "the next one")
    assert complete.status().incarnation == 1
    os.kill(family.leader_pid(), signal.SIGKILL)
    eventually(lambda: complete.status().incarnation == 3, "its office")


@pytest.mark.soak  # the two halves of it are there by default
def test_leader_killed_while_its_standby_hangs(complete: Supervisor, family: Any, eventually: Any, is_alive: Any):
    before, hung = family.pids(), standby_of(complete)
    os.kill(hung, signal.SIGSTOP)
    os.kill(family.leader_pid(), signal.SIGKILL)
    eventually(lambda: complete.status().incarnation > 2, "a leader that is neither of them")
    eventually(lambda: not is_alive(hung), "the last of the hung standby")
    eventually(lambda: whole(complete, family), "the adoption of all children, and a standby")
    assert family.pids() == before


def test_leader_killed_as_soon_as_it_makes_its_standby(start: Any, family_of: Any, eventually: Any):
    """Ray gives a name up whose holder was never started: then whoever follows makes the next one."""
    sup = start()
    family = family_of(sup)
    eventually(lambda: len(roots(sup)) == 2, "a standby that is being made")
    before = family.pids()
    os.kill(family.leader_pid(), signal.SIGKILL)
    eventually(lambda: sup.status().incarnation > 1, "a leader")
    eventually(lambda: whole(sup, family), "the adoption of all children, and the next standby")
    assert before.items() <= family.pids().items()


def test_who_follows_a_silent_leader_goes_on_where_ray_cannot_say_who_leads(
    complete: Supervisor, family: Any, eventually: Any, monkeypatch: pytest.MonkeyPatch
):
    """Seen: the look failed where the answer's failure was handled, and an agent followed nobody any more."""
    failures: list[Exception] = [GetTimeoutError("the leader is silent"), RaySystemError("the GCS does not answer")]
    step, find, heard = LeaderLink._step, link.find_leader, list[int]()

    def silent(own: LeaderLink) -> None:
        if own is follower and len(failures) == 2:
            raise failures.pop(0)
        step(own)

    def unknown(name: str, *, after: int = 0) -> Any:
        if len(failures) == 1:
            raise failures.pop(0)
        return find(name, after=after)

    follower = LeaderLink(
        complete._charter, 1, on_replica=lambda replica: heard.append(replica.incarnation), use_board=False
    )
    monkeypatch.setattr(LeaderLink, "_step", silent)
    monkeypatch.setattr(link, "find_leader", unknown)
    follower.start()
    eventually(lambda: heard and not failures, "a view, after both failures")
    os.kill(family.leader_pid(), signal.SIGKILL)
    eventually(lambda: heard[-1] == 2, "a view of the next leader")
    follower.close()


@pytest.mark.soak  # a process counts as fresh for ten seconds
def test_a_leader_that_cannot_decide_goes_on_while_it_is_fresh_and_then_ends(
    complete: Supervisor, family: Any, eventually: Any
):
    """What no handle asks for: an error in the thread that decides. A leader without it would live and do nothing."""
    before = family.pids()
    leader = actor_by_name(leader_name(complete.name, 1))
    assert leader is not None
    wish = pickle.dumps(House(breaker=5, own_max=1))  # pyright: ignore[reportArgumentType] - that is the point

    def is_succeeded() -> bool:
        with suppress(RayError):
            assert answer(leader.administer.remote(uuid4().hex, wish, 0.1)) is None
        return complete.status().incarnation == 2

    assert not is_succeeded()
    complete.group(unique_name())
    assert complete.status().incarnation == 1
    eventually(is_succeeded, "an end of the leader, and its standby's office")
    eventually(lambda: whole(complete, family), "the adoption of all children, and the next standby")
    assert family.pids() == before
    complete.group(unique_name())


@pytest.mark.soak  # a look waits until the leader was silent for three seconds
def test_a_leader_whose_death_no_notice_tells_is_found_dead_in_rays_table(
    complete: Supervisor, family: Any, monkeypatch: pytest.MonkeyPatch, eventually: Any
):
    """The kernel's notice and Ray's are both lost, and the leader's place was never told either."""
    leads, looks, look_up = threading.Event(), list[bool](), Vigil._look_up

    def look_and_tell(stands_by: Vigil) -> None:
        look_up(stands_by)
        looks.append(leads.is_set())

    monkeypatch.setattr(Vigil, "_on_described", lambda *_: None)
    monkeypatch.setattr(Vigil, "_on_watch_ended", lambda *_: None)
    monkeypatch.setattr(Vigil, "_look_up", look_and_tell)
    Vigil(leader_name(complete.name, 9), 1, lead=leads.set, end=lambda: None).start()
    eventually(lambda: len(looks) > 1, "two looks at a leader that lives, and only does not speak to this one")
    assert not any(looks)
    os.kill(family.leader_pid(), signal.SIGKILL)
    assert leads.wait(60.0)


def test_a_standby_is_not_taken_for_the_leader_and_answers_with_its_views(complete: Supervisor, eventually: Any):
    status = complete.status()
    assert (status.leader, status.standby) == (str(leader_name(complete.name, 1)), str(leader_name(complete.name, 2)))
    found = find_leader(complete.name)
    assert found is not None
    assert found[0] == 1
    standby = actor_by_name(leader_name(complete.name, 2))
    assert standby is not None
    assert ray.get(standby.office.remote()) == ("standby", 1)
    assert ray.get(found[1].office.remote()) == ("leader", 2)
    eventually(
        lambda: pickle.loads(answer(standby.observe.remote(0, 0, 1.0)).payload).standby == status.standby,
        "the leader's view from its standby",
    )
    with pytest.raises(StaleIncarnationError):
        ray.get(standby.attend.remote(0, None, None))
    with Supervisor.connect(complete.name) as other:
        assert other.status().incarnation == 1
        assert other.submit(slow_square, 3).result(timeout=30) == 9


def test_the_ledger_lies_with_the_standby_on_the_board_and_with_the_agents(complete: Supervisor, eventually: Any):
    agent = actor_by_name(next(child.name for child in complete.status().tree if child.key.startswith("node_agent/")))
    assert agent is not None
    eventually(lambda: answer(agent.ledger.remote()) is not None, "the agent's copy")
    copy = answer(agent.ledger.remote())
    assert pickle.loads(copy.payload).charter == complete._charter
    assert copy.incarnation == 1
    eventually(lambda: ledger_on_board(complete.name) == answer(agent.ledger.remote()), "the board's copy")
    with pytest.raises(StaleIncarnationError):
        ray.get(agent.keep_ledger.remote(0, copy))


# -- the end -----------------------------------------------------------------------------------------------------------


@pytest.mark.soak  # a shutdown and a takeover each are there by default
def test_shutdown_in_the_middle_of_a_takeover_leaves_nothing(
    start: Any, family_of: Any, eventually: Any, is_alive: Any
):
    sup = start()
    family = family_of(sup)
    eventually(lambda: whole(sup, family), "the tree and the standby")
    pids = [*family.pids().values(), family.leader_pid(), standby_of(sup)]
    os.kill(family.leader_pid(), signal.SIGKILL)
    sup.shutdown()
    eventually(lambda: not any(map(is_alive, pids)), "the end of every process")
    eventually(lambda: family.living_actors() == [], "their end in Ray's table, which learns of it later")


def test_shutdown_ends_the_standby_and_no_other_takes_its_place(
    start: Any, family_of: Any, eventually: Any, is_alive: Any
):
    sup = start()
    family = family_of(sup)
    eventually(lambda: whole(sup, family), "the tree and the standby")
    pids = [*family.pids().values(), family.leader_pid(), standby_of(sup)]
    sup.shutdown()
    eventually(lambda: not any(map(is_alive, pids)), "the end of every process")
    eventually(lambda: family.living_actors() == [], "their end in Ray's table, which learns of it later")
    assert find_leader(sup.name) is None


def test_orphans_end_themselves_when_nobody_leads_and_nobody_makes_a_leader(
    start: Any, family_of: Any, eventually: Any, is_alive: Any
):
    sup = start(orphan_timeout_s=1.0)
    family = family_of(sup)
    sup.supervise(wards.Ward, name="alone", standbys=1)
    for name in ("left", "right"):
        sup.supervise(wards.Ward, name=name, share_process=True)
    sup.group("far", supervisor=True).supervise(wards.Ward, name="outpost")
    eventually(lambda: whole(sup, family), "the tree and the standby")
    eventually(lambda: len(family.child("child/alone").standbys) == 1, "the child's standby")
    pids = family.pids()
    assert {"child/alone", "child/left", "child/right", "supervisor/far", "child/far.outpost"} <= set(pids)
    assert pids["child/left"] == pids["child/right"]
    sup._link.stop()
    # Agents make a leader, and so do the supervisors of subtrees, which follow it as every handle does.
    makers = [pid for key, pid in pids.items() if key.startswith(("node_agent/", "supervisor/"))]
    makers = [family.leader_pid(), standby_of(sup), *makers]
    # Halted first: who is killed earlier would be made anew by who is killed later.
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in makers:
            os.kill(pid, number)
    eventually(lambda: not any(map(is_alive, pids.values())), "the end of workers, log and children")
    eventually(lambda: family.living_actors() == [], "their end in Ray's table, which learns of it later")
