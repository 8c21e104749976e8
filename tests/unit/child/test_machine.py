"""One incarnation of a child: order, repeats, what is remembered of them, and who is the accepted one."""

from __future__ import annotations

import pytest

from actors.child import machine as m
from actors.child.machine import PENDING, PROMOTE, START, ChildMachine, Early, Kept, Reply
from actors.child.protocol import FORGOTTEN, STALE, STALE_NOT_RUN, STANDBY, Answer, CallHeader, expected

OWN = 5
OK: Answer = ("ok", b"value")


def call(number: int, *, settled: int = 0, client: str = "c", accepted: int = OWN) -> CallHeader:
    return (client, number, settled, "add", accepted)


def active() -> ChildMachine:
    machine = ChildMachine(OWN)
    machine.activate()
    return machine


def run(machine: ChildMachine, number: int, *, settled: int = 0, client: str = "c", answer: Answer = OK) -> Answer:
    assert machine.admit(call(number, settled=settled, client=client)) == START
    machine.conclude(client, number, answer)
    return machine.release(client, number, answer)


# -- order -----------------------------------------------------------------------------------------------------------


def test_calls_start_in_the_order_of_their_numbers():
    machine = active()
    assert machine.admit(call(2)) == Early(expected(1))
    assert machine.admit(call(1)) == START
    assert machine.admit(call(2)) == START
    assert machine.admit(call(4)) == Early(expected(3))


def test_an_unknown_client_begins_behind_what_it_has_settled():
    machine = active()
    assert machine.admit(call(9, settled=7)) == Early(expected(8))
    assert machine.admit(call(8, settled=7)) == START


def test_a_client_that_settled_calls_elsewhere_is_followed():
    """An earlier incarnation answered them, and its state was not replicated."""
    machine = active()
    run(machine, 1)
    assert machine.admit(call(9, settled=8)) == START


def test_clients_are_independent():
    machine = active()
    assert machine.admit(call(1, client="a")) == START
    assert machine.admit(call(1, client="b")) == START


# -- repeats ---------------------------------------------------------------------------------------------------------


def test_a_repeat_of_a_running_call_waits_for_its_answer():
    machine = active()
    machine.admit(call(1))
    assert machine.admit(call(1)) == PENDING
    machine.conclude("c", 1, OK)
    assert machine.admit(call(1)) == PENDING, "its state is being replicated: it is not told yet"
    assert machine.release("c", 1, OK) == OK
    assert machine.admit(call(1)) == Reply(OK)


def test_an_answer_that_could_not_be_replicated_is_replaced():
    machine = active()
    machine.admit(call(1))
    lost: Answer = ("error", b"lost")
    machine.conclude("c", 1, OK)
    machine.conclude("c", 1, lost)
    machine.release("c", 1, lost)
    assert machine.admit(call(1)) == Reply(lost)


def test_a_repeat_of_a_settled_call_is_forgotten():
    machine = active()
    run(machine, 1)
    run(machine, 2, settled=1)
    assert machine.admit(call(1, settled=1)) == Reply(FORGOTTEN)
    assert machine.admit(call(2, settled=1)) == Reply(OK)


def test_a_call_that_was_settled_while_it_ran_is_not_remembered():
    machine = active()
    machine.admit(call(1))
    machine.admit(call(2, settled=1))
    machine.conclude("c", 1, OK)
    machine.release("c", 1, OK)
    assert machine.admit(call(1, settled=1)) == Reply(FORGOTTEN)


def test_a_streamed_call_cannot_be_repeated():
    machine = active()
    assert machine.admit(call(1), streaming=True) == START
    assert machine.admit(call(1), streaming=True) == Reply(FORGOTTEN)
    machine.conclude("c", 1, None)
    machine.release("c", 1, OK)
    assert machine.admit(call(1), streaming=True) == Reply(FORGOTTEN)


def test_what_nobody_runs_is_concluded_without_effect():
    machine = active()
    machine.conclude("c", 1, OK)
    assert machine.release("c", 1, OK) == OK
    run(machine, 1)
    machine.conclude("c", 1, ("ok", b"late"))
    assert machine.admit(call(1)) == Reply(OK)


def test_calls_are_counted():
    machine = active()
    for number in (1, 2, 3):
        run(machine, number)
    assert machine.calls_run == 3


# -- bounds ----------------------------------------------------------------------------------------------------------


def test_the_oldest_answers_of_a_client_leave_first(monkeypatch):
    monkeypatch.setattr(m, "ANSWERS_KEPT", 2)
    machine = active()
    for number in (1, 2, 3):
        run(machine, number)
    assert [machine.admit(call(number)) for number in (1, 2, 3)] == [Reply(FORGOTTEN), Reply(OK), Reply(OK)]


def test_the_most_silent_client_without_a_running_call_is_forgotten(monkeypatch):
    monkeypatch.setattr(m, "CLIENTS_KEPT", 3)
    machine = active()
    machine.admit(call(1, client="runs"))
    run(machine, 1, client="silent")
    run(machine, 1, client="lively")
    run(machine, 1, client="new")
    assert [row[0] for row in machine.table()] == ["runs", "lively", "new"]
    assert machine.admit(call(1, client="lively")) == Reply(OK)


def test_clients_whose_calls_all_run_are_never_forgotten(monkeypatch):
    monkeypatch.setattr(m, "CLIENTS_KEPT", 1)
    machine = active()
    for client in "abc":
        machine.admit(call(1, client=client))
        machine.conclude(client, 1, OK)
    assert [row[0] for row in machine.table()] == ["a", "b", "c"]


def test_remembered_answers_are_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr(m, "BYTES_KEPT", 12)
    machine = active()
    run(machine, 1, client="none")
    run(machine, 2, settled=1, client="none", answer=("ok", b""))
    run(machine, 1, client="first")
    run(machine, 2, client="first")
    run(machine, 1, client="second")
    assert machine.admit(call(1, client="first")) == Reply(FORGOTTEN)
    assert machine.admit(call(2, client="first")) == Reply(OK)
    run(machine, 2, client="second", answer=("ok", b"x" * 100))
    assert [row for row in machine.table() if row[2]] == []


def test_a_client_that_settles_many_at_once_costs_no_more_than_what_is_remembered():
    machine = active()
    for number in (1, 2):
        run(machine, number)
    assert machine.admit(call(10**12, settled=10**12 - 1)) == START
    assert machine.table() == (("c", 10**12 + 1, (), (10**12,)),)


# -- standing --------------------------------------------------------------------------------------------------------


def test_a_standby_that_a_caller_accepts_activates_first():
    machine = ChildMachine(OWN)
    assert machine.admit(call(1)) == PROMOTE
    assert machine.activate()
    assert machine.admit(call(1)) == START


def test_a_standby_that_the_caller_does_not_mean_says_so():
    machine = ChildMachine(OWN)
    assert machine.admit(call(1, accepted=OWN - 1)) == Reply(STANDBY)
    assert machine.phase == "standby"


def test_an_active_one_serves_a_caller_whose_view_is_old():
    assert active().admit(call(1, accepted=OWN - 1)) == START


@pytest.mark.parametrize("machine", [ChildMachine(OWN), active()])
def test_a_later_accepted_incarnation_ends_it(machine):
    assert machine.admit(call(1, accepted=OWN + 1)) == Reply(STALE_NOT_RUN)
    assert machine.phase == "over"
    assert machine.accepted == OWN + 1
    assert not machine.activate()


def test_a_fenced_one_tells_nobody_what_it_still_did():
    machine = active()
    machine.admit(call(1))
    machine.fence()
    machine.conclude("c", 1, OK)
    assert machine.release("c", 1, OK) == STALE
    assert machine.admit(call(2)) == Reply(STALE_NOT_RUN)


def test_one_that_is_over_tells_what_it_never_began_unless_it_has_forgotten_a_client() -> None:
    machine = active()
    machine.admit(call(1))
    machine.fence()
    assert machine.admit(call(1)) == Reply(STALE)
    assert machine.admit(call(2)) == machine.admit(call(1, client="other")) == Reply(STALE_NOT_RUN)
    assert machine.release("c", 1, STALE_NOT_RUN) == STALE_NOT_RUN

    crowded = active()
    for index in range(m.CLIENTS_KEPT + 1):
        crowded.admit(call(1, client=str(index)))
        crowded.release(str(index), 1, OK)
    crowded.fence()
    assert crowded.admit(call(1, client="0")) == Reply(STALE)


def test_a_stopping_one_ends_what_runs_and_begins_nothing():
    machine = active()
    machine.admit(call(1))
    assert machine.stop()
    assert machine.admit(call(2)) == Reply(STALE_NOT_RUN)
    machine.conclude("c", 1, OK)
    assert machine.release("c", 1, OK) == OK
    assert not machine.activate()


def test_stopping_a_standby_or_what_is_over():
    standby, over = ChildMachine(OWN), active()
    over.fence()
    assert not standby.stop()
    assert not over.stop()
    assert (standby.phase, over.phase) == ("stopping", "over")


def test_activating_again_changes_nothing():
    machine = active()
    run(machine, 1)
    assert machine.activate((("c", 1, (), ()),))
    assert machine.admit(call(1)) == Reply(OK)


# -- replication -----------------------------------------------------------------------------------------------------


def test_a_standby_holds_the_newest_state():
    machine = ChildMachine(OWN)
    newer, older = Kept(3, 8, b"newer"), Kept(3, 7, b"older")
    assert machine.keep(newer) == "kept"
    assert machine.keep(older) == "kept"
    assert machine.kept == newer
    assert machine.keep(Kept(4, 1, b"of the next")) == "kept"
    assert machine.kept == Kept(4, 1, b"of the next")
    assert machine.keep(newer) == "replaced"
    assert machine.accepted == 4


def test_an_activated_one_refuses_its_predecessor_and_lets_its_state_go():
    machine = ChildMachine(OWN)
    machine.keep(Kept(3, 8, b"state"))
    machine.activate()
    assert machine.kept is None
    assert machine.keep(Kept(3, 9, b"late")) == "replaced"


def test_a_stopped_standby_says_that_it_stands_by_no_more():
    """It must not fence the accepted one."""
    machine = ChildMachine(OWN)
    machine.stop()
    assert machine.keep(Kept(3, 8, b"state")) == "not standing by"


def test_a_successor_gives_the_same_answer_to_a_repeated_call():
    before, after = active(), ChildMachine(OWN + 1)
    run(before, 1, answer=("ok", b"one"))
    run(before, 2, answer=("error", b"two"))
    after.activate(before.table())
    assert after.admit(call(1)) == Reply(("ok", b"one"))
    assert after.admit(call(2)) == Reply(("error", b"two"))
    assert after.admit(call(3)) == START


def test_a_call_that_was_interrupted_may_start_once_more():
    before, after = active(), ChildMachine(OWN + 1)
    for number in (1, 2):
        before.admit(call(number))
    before.conclude("c", 2, OK)
    after.activate(before.table())
    assert after.admit(call(2)) == Reply(OK)
    assert after.admit(call(1)) == START
    assert after.admit(call(1)) == PENDING


def test_an_interrupted_call_that_the_client_gave_up_is_forgotten():
    before, after = active(), ChildMachine(OWN + 1)
    for number in (1, 2):
        before.admit(call(number))
    after.activate(before.table())
    assert after.admit(call(3, settled=1)) == START
    assert after.admit(call(1, settled=1)) == Reply(FORGOTTEN)
    assert after.admit(call(2, settled=1)) == START


def test_clients_with_nothing_to_repeat_are_not_replicated():
    machine = active()
    run(machine, 1, client="a")
    machine.admit(call(2, settled=1, client="a"))
    machine.conclude("a", 2, None)
    machine.release("a", 2, OK)
    assert machine.table() == ()


def test_an_answer_with_object_refs_ends_with_its_process():
    before, after = active(), ChildMachine(OWN + 1)
    run(before, 1, answer=("ok", b"value", ["a reference"]))
    assert before.admit(call(1)) == Reply(("ok", b"value", ["a reference"]))
    after.activate(before.table())
    assert after.admit(call(1)) == Reply(FORGOTTEN)
