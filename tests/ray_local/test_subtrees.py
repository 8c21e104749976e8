"""Groups that are supervisor actors of their own, on a real Ray: they end and come back as any group does."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import ray

from actors.runtime.ids import ActorName
from supervisor import AdministrationError, ChildSpec, Group, Supervisor
from supervisor.creating import Creator
from supervisor.election import find_leader, leader_name
from supervisor.tree import SUBTREE
from tests.ray_local import wards
from tests.ray_local.test_children import ANSWER_S, kill, pid, view

Eventually = Callable[..., None]
BEAT: Any = {"heartbeat_s": 0.2, "hang_timeout_s": 1.0}


@pytest.fixture
def far(shared: Supervisor) -> Any:
    """A subtree of this test's own, with one child."""
    name = f"g{uuid4().hex[:8]}"
    made = shared.group(name, supervisor=True, intensity=10)
    made.supervise(wards.Ward, name="ward", **BEAT)
    yield made
    shared.root.terminate(name)
    shared.root.delete(name)


def ward_of(sup: Supervisor, group: Group) -> Any:
    return sup.child(f"{group.path}.ward")


def supervisor_of(sup: Supervisor, group: Group) -> int:
    """The pid of a subtree's supervisor."""
    return int(view(sup, f"{SUBTREE}{group.path}").location.process.pid)


def rows_of(sup: Supervisor, group: Group, event: str) -> list[str]:
    sql = "select child from children where child like ? and event = ? order by child"
    return [row["child"] for row in sup.events.query(sql, [f"child/{group.path}.%", event])]


# -- its end and its next life ----------------------------------------------------------------------------------------


def test_what_was_ended_and_is_started_again_has_its_children(shared: Supervisor, far: Group, eventually: Eventually):
    before = pid(ward_of(shared, far))
    shared.root.terminate(far.path)
    assert rows_of(shared, far, "stopped") == [f"child/{far.path}.ward"], "its last rows are in the log"
    shared.root.restart(far.path)
    eventually(lambda: view(shared, f"child/{far.path}.ward").status == "running", "its child")
    assert view(shared, f"child/{far.path}.ward").incarnation == 2
    assert pid(ward_of(shared, far)) != before
    assert [member.status for member in far.children()] == ["running"]


@pytest.mark.soak  # `unit/supervision/test_subtree.py` has the rule, and the test above the way there
def test_one_over_its_intensity_comes_back_with_all_its_children(shared: Supervisor, eventually: Eventually):
    name = f"g{uuid4().hex[:8]}"
    with_two = (ChildSpec(cls=wards.Ward, name="ward", **BEAT), ChildSpec(cls=wards.Ward, name="other", **BEAT))
    group = shared.group(name, supervisor=True, intensity=0, children=with_two)
    eventually(lambda: [each.status for each in group.children()] == ["running"] * 2, "its children")
    first, other = pid(ward_of(shared, group)), pid(shared.child(f"{name}.other"))
    kill(first)
    eventually(lambda: view(shared, f"{SUBTREE}{name}").incarnation == 2, "its next life")
    eventually(lambda: [each.status for each in group.children()] == ["running"] * 2, "its children again")
    assert {pid(ward_of(shared, group)), pid(shared.child(f"{name}.other"))}.isdisjoint({first, other})
    assert set(rows_of(shared, group, "given_up")) == {f"child/{name}.other", f"child/{name}.ward"}
    assert "ward" in view(shared, f"{SUBTREE}{name}").last_error
    shared.root.terminate(name)
    shared.root.delete(name)


def test_a_transient_one_that_gives_up_stays_away(shared: Supervisor, eventually: Eventually, is_alive: Any):
    name = f"g{uuid4().hex[:8]}"
    group = shared.group(name, supervisor=True, intensity=0, restart="transient")
    group.supervise(wards.Ward, name="ward", **BEAT)
    there = supervisor_of(shared, group)
    kill(pid(ward_of(shared, group)))
    eventually(lambda: view(shared, f"{SUBTREE}{name}").status == "stopped", "its end")
    eventually(lambda: not is_alive(there), "the end of its process")
    assert view(shared, f"{SUBTREE}{name}").incarnation == 1
    assert view(shared, f"child/{name}.ward").status == "stopped"
    with pytest.raises(AdministrationError, match="stopped"):
        group.supervise(wards.Ward, name="late")
    shared.root.delete(name)


def test_a_transient_one_whose_significant_child_ended_ends(shared: Supervisor, eventually: Eventually):
    name = f"g{uuid4().hex[:8]}"
    group = shared.group(name, supervisor=True, auto_shutdown="any_significant", restart="transient")
    ward: Any = group.supervise(wards.Ward, name="ward", restart="transient", significant=True, **BEAT)
    with pytest.raises(Exception, match="ward"):
        ward.leave.remote(0).result(timeout=ANSWER_S)
    eventually(lambda: view(shared, f"{SUBTREE}{name}").status == "stopped", "its end")
    shared.root.delete(name)


@pytest.mark.soak  # as the one over its intensity
def test_one_that_is_ended_with_its_siblings_comes_back_with_its_children(
    shared: Supervisor, eventually: Eventually, is_alive: Any
):
    name = f"g{uuid4().hex[:8]}"
    group = shared.group(name, strategy="one_for_all", intensity=10)
    sibling: Any = group.supervise(wards.Ward, name="sibling", **BEAT)
    inner = group.group("far", supervisor=True)
    inner.supervise(wards.Ward, name="ward", **BEAT)
    before = pid(ward_of(shared, inner))
    kill(pid(sibling))
    eventually(lambda: not is_alive(before), "the end of what is below its sibling")
    eventually(lambda: view(shared, f"{SUBTREE}{inner.path}").incarnation == 2, "its next life")
    eventually(lambda: view(shared, f"child/{inner.path}.ward").status == "running", "its child")
    assert pid(ward_of(shared, inner)) != before
    shared.root.terminate(name)
    shared.root.delete(name)


def test_a_hung_one_cannot_hold_whoever_ends_it(start: Any, eventually: Eventually, is_alive: Any):
    sup = start(standby=False)
    group = sup.group("far", supervisor=True)
    ward = pid(group.supervise(wards.Ward, name="ward", **BEAT))
    hung = supervisor_of(sup, group)
    os.kill(hung, signal.SIGSTOP)
    threading.Thread(target=sup.root.terminate, args=("far",), daemon=True).start()
    eventually(lambda: not is_alive(hung) and not is_alive(ward), "the end of all")
    eventually(lambda: view(sup, f"{SUBTREE}far").status == "stopped", "its end")


# -- asking for it, and finding what is in it -------------------------------------------------------------------------


def test_a_second_asking_for_it_gives_the_same_or_says_what_differs(shared: Supervisor, far: Group):
    again = shared.group(far.path, supervisor=True, intensity=10)
    assert again.path == far.path
    with pytest.raises(AdministrationError, match="intensity is 10, not 3"):
        shared.group(far.path, supervisor=True, intensity=3)
    with pytest.raises(AdministrationError, match="supervisor"):
        shared.group(far.path, supervisor=False, intensity=10)


def test_it_counts_as_a_supervisor(shared: Supervisor, far: Group):
    outer = shared.group(f"g{uuid4().hex[:8]}")
    outer.group("far", supervisor=True)
    outer.supervise(wards.Ward, name="ward")
    counts = outer.count()
    assert (counts.specs, counts.supervisors, counts.workers) == (2, 1, 1)
    shared.root.terminate(outer.path)
    shared.root.delete(outer.path)


def test_what_is_added_below_it_is_found_by_its_name_at_once(shared: Supervisor, far: Group):
    far.supervise(wards.Ward, name="late", **BEAT)
    assert pid(shared.child(f"{far.path}.late")) > 0
    assert far.spec("late")["heartbeat_s"] == "0.2"


# -- under another leader ---------------------------------------------------------------------------------------------


@pytest.fixture
def led(sup: Supervisor, family: Any, eventually: Eventually) -> Supervisor:
    """A supervisor with a standby, and the subtree `far` with the child `ward`."""
    group = sup.group("far", supervisor=True, intensity=100)
    group.supervise(wards.Ward, name="ward", **BEAT)
    eventually(lambda: family.restored() and sup.status().standby is not None, "the tree and the standby")
    return sup


def test_calls_and_administration_go_on_when_the_leader_dies(led: Supervisor, family: Any, eventually: Eventually):
    ward, over, failed = ward_of(led, led.group("far")), threading.Event(), list[BaseException]()

    def call_on() -> None:
        while not over.is_set():
            try:
                ward.add.remote().result(timeout=ANSWER_S)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not be
                failed.append(error)

    caller = threading.Thread(target=call_on)
    caller.start()
    for number in range(3):
        os.kill(family.leader_pid(), signal.SIGKILL)
        led.group("far").supervise(wards.Ward, name=f"late{number}", **BEAT)
        eventually(lambda n=number: led.status().incarnation == n + 2, "the standby's office")
        eventually(lambda: family.restored() and led.status().standby is not None, "the next standby")
    over.set()
    caller.join()
    assert failed == []
    assert {f"child/far.late{number}" for number in range(3)} <= set(family.pids())


@pytest.mark.soak  # the moment between the answer and its copy is short; that of the root is there by default
def test_what_was_answered_below_holds_when_both_supervisors_die_at_once(
    led: Supervisor, family: Any, eventually: Eventually
):
    """Nothing of a child that was ended is left but what the leader's successor was told of it."""
    far = led.group("far")
    far.supervise(wards.Ward, name="late", **BEAT)
    below, leader = supervisor_of(led, far), family.leader_pid()
    far.terminate("late")
    os.kill(leader, signal.SIGKILL)
    os.kill(below, signal.SIGKILL)
    eventually(lambda: led.status().incarnation == 2, "the next leader")
    eventually(lambda: view(led, f"{SUBTREE}far").incarnation == 2, "the subtree's next life")
    far.supervise(wards.Ward, name="next", **BEAT)  # from here on the tree is as that life tells it
    assert view(led, "child/far.late").status == "stopped"


def test_who_subscribes_hears_what_happens_below_it(led: Supervisor, family: Any, eventually: Eventually):
    heard: list[tuple[str, int]] = []
    subscription = led.subscribe(keys=["child/far.ward", "child/far.late"])

    def listen() -> None:
        for change in subscription:
            heard.append((change.event, change.incarnation))

    threading.Thread(target=listen, daemon=True).start()
    far = led.group("far")
    kill(pid(ward_of(led, far)))
    eventually(lambda: ("ready", 2) in heard, "a restart below")
    # Its supervisor and the child die at once: the next life finds the child dead.
    ward = pid(ward_of(led, far))
    kill(supervisor_of(led, far))
    kill(ward)
    eventually(lambda: view(led, "child/far.ward").incarnation == 3, "its next life")
    eventually(lambda: ("ready", 3) in heard and ("died", 2) in heard, "what happened while nobody was followed")
    eventually(lambda: led.status().standby is not None, "a standby")
    # The leader and the child die at once: the subtree restarts the child while nobody follows it.
    ward, leader = pid(ward_of(led, far)), family.leader_pid()
    os.kill(leader, signal.SIGKILL)
    kill(ward)
    eventually(lambda: view(led, "child/far.ward").incarnation == 4, "its next life")
    eventually(lambda: ("died", 3) in heard and any(number == 4 for _, number in heard), "what the next leader tells")
    far.supervise(wards.Ward, name="late", **BEAT)
    led.root.terminate("far")
    eventually(lambda: ("stopped", 4) in heard and ("stopped", 1) in heard, "its end")
    assert len(heard) == len(set(heard)), "nothing twice"
    subscription.close()


# -- being replaced ---------------------------------------------------------------------------------------------------


@pytest.mark.soak  # that of the root is there by default
def test_a_replaced_one_that_comes_back_ends(start: Any, eventually: Eventually, is_alive: Any):
    """It was stopped; another life was made, of which nobody has told it."""
    sup = start(standby=False)
    group = sup.group("far", supervisor=True)
    group.supervise(wards.Ward, name="ward", **BEAT)
    stale = supervisor_of(sup, group)
    leader = find_leader(sup.name)
    assert leader is not None
    own = f"{sup.name}/{SUBTREE}far"
    assert ray.get([leader[1].accepts.remote(f"{own}#{number}") for number in (1, 2)]) == [True, False]
    recipe = sup._client.plans((f"{SUBTREE}far",))[f"{SUBTREE}far"].recipe
    os.kill(stale, signal.SIGSTOP)
    creator = Creator(sup._charter, leader_name(sup.name, 1), dict, lambda: None)
    later = creator.subtree(ActorName(sup.name, "supervisor", "far", 7), recipe, None)
    ray.get(later.describe.remote())
    os.kill(stale, signal.SIGCONT)
    eventually(lambda: not is_alive(stale), "the end of the replaced one")
    ray.kill(later)
