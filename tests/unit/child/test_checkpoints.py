"""A child's state outlives its process: at intervals, on request, with each call, and in its standbys."""

from __future__ import annotations

import asyncio
import pickle
import threading

import pytest

from actors.child import member
from actors.child.execute import LeaveChild, leave_child
from actors.child.keeper import decode
from actors.child.protocol import STALE, STALE_NOT_RUN, STANDBY
from actors.runtime.errors import (
    CheckpointLostError,
    CheckpointMismatchError,
    ChildNotHereError,
    ChildStartError,
    ChildStateError,
    StaleIncarnationError,
)
from tests.unit.child.plain_home import KEY, Careful, Counter, HalfHooked, Home, Slotted
from tests.unit.child.scene import MemoryPorts

# -- checkpoints -----------------------------------------------------------------------------------------------------


def test_a_checkpoint_on_request_is_taken_up_by_the_next_life():
    home = Home(checkpoint=60.0)
    home.value("add", 5)
    assert home.shell.checkpoint_now(1, KEY) == 1
    home.value("add", 100)
    after = Home(checkpoint=60.0, incarnation=2, ports=home.ports)
    assert after.value("add", 0) == 5


def test_only_the_incarnation_that_serves_gives_a_checkpoint():
    home = Home(checkpoint=60.0, incarnation=2)
    for incarnation in (1, 3):
        with pytest.raises(StaleIncarnationError):
            home.shell.checkpoint_now(incarnation, KEY)
    standby = Home(checkpoint=60.0, incarnation=3, role="standby")
    with pytest.raises(StaleIncarnationError):
        standby.shell.checkpoint_now(3, KEY)
    assert home.ports.store.checkpoints == standby.ports.store.checkpoints == []


def test_state_that_did_not_change_is_not_written_again():
    home = Home(checkpoint=60.0)
    assert [home.shell.checkpoint_now(1, KEY) for _ in range(3)] == [1, 1, 1]
    home.value("add", 1)
    assert home.shell.checkpoint_now(1, KEY) == 4
    assert len(home.ports.store.checkpoints) == 2


def test_checkpoints_are_written_at_every_interval(eventually):
    home = Home(checkpoint=0.01)
    home.value("add", 5)
    eventually(lambda: any(b"total" in each.state for each in home.ports.store.checkpoints), "a checkpoint")
    home.ports.store.trouble = OSError("disk full")
    home.value("add", 5)
    eventually(
        lambda: any(event == "checkpoint_failed" for _, event, _ in home.ports.records), "a record of the trouble"
    )
    home.shell.fence(1, KEY)


def test_corrupt_checkpoints_that_were_passed_over_are_put_on_record():
    ports = MemoryPorts()
    ports.store.skipped = ("number 9 is corrupt",)
    Home(checkpoint=60.0, ports=ports)
    assert ports.records == [(f"s/{KEY}#1", "checkpoint_skipped", "number 9 is corrupt")]


def test_state_that_cannot_be_read_or_taken_up_keeps_a_child_from_starting():
    ports = MemoryPorts()
    ports.store.trouble = OSError("the store is away")
    with pytest.raises(ChildStartError, match="the store is away"):
        Home(checkpoint=60.0, ports=ports)
    standby = Home(checkpoint=60.0, incarnation=2, ports=ports, role="standby")
    assert standby.call("add", 1) == STANDBY
    assert ports.records[-1][1] == "takeover_failed"
    ports.store.trouble = None
    assert standby.shell.call(KEY, ("c", 1, 0, "add", 2), standby.caller.payload(1))[0] == "ok"


def test_each_call_is_in_the_store_before_it_is_answered():
    home = Home(checkpoint="each_call")
    header = home.caller.header("add")
    first = home.shell.call(KEY, header, home.caller.payload(5))
    assert len(home.ports.store.checkpoints) == 1
    after = Home(checkpoint="each_call", incarnation=2, ports=home.ports)
    assert after.shell.call(KEY, (*header[:4], 2), after.caller.payload(5)) == first, "one effect"


def test_what_a_call_changed_before_it_failed_is_kept_too():
    home = Home(checkpoint="each_call")
    with pytest.raises(KeyError):
        home.value("fail")
    assert Home(checkpoint="each_call", incarnation=2, ports=home.ports).value("add", 0) == 100


def test_a_stream_is_kept_when_it_ends():
    home = Home(checkpoint="each_call")
    assert len(list(home.stream("count", 3))) == 3
    assert Home(checkpoint="each_call", incarnation=2, ports=home.ports).value("add", 0) == 3


def test_state_that_does_not_pickle_is_an_error_of_the_call_that_made_it():
    home = Home(checkpoint="each_call")
    with pytest.raises(ChildStateError, match="because of its attribute 'lock'"):
        home.value("spoil")
    with pytest.raises(ChildStateError):
        home.value("add", 1)
    home = Home(checkpoint="each_call")
    home.shell._child.hooks._target.lock = threading.Lock()
    assert [answer[0] for answer in home.stream("count", 1)] == ["ok", "error"]


def test_an_object_without_a_dict_needs_both_hooks():
    with pytest.raises(ChildStateError, match="has no __dict__"):
        Home(Slotted, checkpoint="each_call").value("touch")
    home = Home(HalfHooked, checkpoint="each_call")
    home.value("touch")
    with pytest.raises(ChildStartError, match="its class has no restore"):
        Home(HalfHooked, checkpoint="each_call", incarnation=2, ports=home.ports)


def test_state_of_another_form_is_refused():
    with pytest.raises(ValueError, match="form 99"):
        decode(1, 1, pickle.dumps((99, b"", ())))


def test_state_that_nobody_takes_is_an_error_of_the_call_that_made_it():
    home = Home(checkpoint="each_call")
    home.ports.store.trouble = OSError("disk full")
    with pytest.raises(CheckpointLostError, match="disk full"):
        home.value("add", 1)
    home.ports.store.trouble = None
    assert home.value("add", 1) == 2


def test_one_who_finds_a_later_incarnation_in_the_store_is_over():
    old = Home(checkpoint="each_call")
    old.value("add", 1)
    new = Home(checkpoint="each_call", incarnation=2, ports=old.ports)
    new.value("add", 1)
    assert old.call("add", 1) == STALE
    assert old.call("add", 1) == STALE_NOT_RUN


def test_what_an_active_one_took_over_is_kept_anew(eventually):
    old = Home(checkpoint="each_call")
    old.value("add", 1)
    Home(checkpoint="each_call", incarnation=2, ports=old.ports)
    eventually(lambda: old.ports.store.checkpoints[-1].incarnation == 2, "a checkpoint of the second life")


def test_a_standby_takes_the_newest_of_what_it_was_given_and_what_is_stored():
    old = Home(checkpoint="each_call")
    old.value("add", 1)
    blob = old.ports.store.checkpoints[0].state
    old.value("add", 10)
    behind = Home(checkpoint="each_call", incarnation=2, role="standby", ports=old.ports)
    behind.shell.keep(KEY, 1, 1, blob, behind.recipe.form)
    assert behind.value("add", 0) == 11
    ahead = Home(checkpoint="each_call", incarnation=3, role="standby", ports=old.ports)
    ahead.shell.keep(KEY, 2, 99, blob, ahead.recipe.form)
    assert ahead.value("add", 0) == 1


def test_memory_is_as_good_as_a_standby_s_and_no_better(monkeypatch):
    """While a child that has standbys has none just now, the store need not have written; else it must."""
    monkeypatch.setattr(member, "_CALLS_FIRST_S", 600.0)  # what was taken over is kept behind the call, however late
    alone = Home(checkpoint="each_call")
    alone.value("add", 1)
    assert alone.ports.store.soon == []
    promoted = Home(checkpoint="each_call", incarnation=2, role="standby", ports=alone.ports)
    promoted.shell.keep(KEY, 1, 1, alone.ports.store.checkpoints[0].state, promoted.recipe.form)
    assert promoted.value("add", 1) == 2
    store = alone.ports.store
    assert store.soon == [store.checkpoints[-1].number]


@pytest.mark.parametrize("how", ["fails", "hangs"])
def test_a_store_that_is_away_holds_no_standby_up_that_was_given_the_state(monkeypatch, how):
    monkeypatch.setattr("actors.child.keeper.STORE_PATIENCE_S", 0.05)
    old = Home(checkpoint="each_call")
    old.value("add", 1)
    standby = Home(checkpoint="each_call", incarnation=2, role="standby", ports=old.ports)
    standby.shell.keep(KEY, 1, 1, old.ports.store.checkpoints[0].state, standby.recipe.form)
    if how == "fails":
        old.ports.store.trouble = OSError("the store is away")
    else:
        old.ports.store.hold = threading.Event()
    standby.shell.activate(1, KEY, 2)
    assert "passed over" in old.ports.records[0][2]
    if old.ports.store.hold is not None:
        old.ports.store.hold.set()


def test_attending_one_who_has_been_replaced_fences_it():
    old = Home(checkpoint="each_call")
    old.value("add", 1)
    Home(checkpoint="each_call", incarnation=2, ports=old.ports).value("add", 1)
    old.shell._child.keeper._stored_number = 0
    old.shell._child.keeper._stored_digest = b""
    with pytest.raises(StaleIncarnationError):
        old.shell.attend(1, KEY, ())
    assert old.call("add", 1) == STALE_NOT_RUN


def test_a_standby_that_was_stopped_or_activated_keeps_nothing():
    standby = Home(role="standby", incarnation=2)
    standby.shell.activate(1, KEY, 2)
    with pytest.raises(StaleIncarnationError):
        standby.shell.keep(KEY, 1, 1, b"state", standby.recipe.form)
    stopped = Home(role="standby", incarnation=2)
    stopped.shell.stop(1)
    with pytest.raises(ChildNotHereError):
        stopped.shell.keep(KEY, 1, 1, b"state", stopped.recipe.form)


@pytest.mark.parametrize("form", [("shop.Cart", 1), (f"{Counter.__module__}.Counter", 2)])
def test_a_standby_takes_no_state_of_another_class_or_version(form):
    """Its spec was changed after that of the life which has the state."""
    old = Home(checkpoint="each_call")
    old.value("add", 1)
    state = old.ports.store.checkpoints[0].state
    standby = Home(checkpoint="each_call", incarnation=2, role="standby")
    with pytest.raises(CheckpointMismatchError, match=rf"{form[0]} with checkpoint_version {form[1]}, expected is .*1"):
        standby.shell.keep(KEY, 1, 1, state, form)
    assert standby.shell.heartbeat(1)["members"][KEY]["kept"] is None
    assert standby.value("add", 0) == 0
    with pytest.raises(StaleIncarnationError):
        standby.shell.keep(KEY, 1, 2, state, form)


def test_one_that_is_ended_before_it_took_its_state_up_hands_it_on():
    """It was accepted in its predecessor's place, and a sibling's end concerns it: nobody else may hold the state."""
    old = Home(checkpoint="each_call")
    old.value("add", 5)
    state = old.ports.store.checkpoints.pop().state
    accepted = Home(checkpoint="each_call", incarnation=2, role="standby", ports=old.ports)
    accepted.shell.keep(KEY, 1, 1, state, accepted.recipe.form)
    accepted.shell.stop(1)
    after = Home(checkpoint="each_call", incarnation=3, ports=old.ports)
    assert after.value("add", 0) == 5


def test_a_standby_that_is_stopped_hands_on_what_it_holds_and_runs_no_hook_on_an_object_without_its_state():
    first = Home(Careful, checkpoint="each_call")
    first.value("add", 5)
    newer = first.ports.store.checkpoints.pop()
    standby = Home(Careful, role="standby", incarnation=2, checkpoint="each_call", ports=first.ports)
    standby.shell.keep(KEY, 1, newer.number, newer.state, standby.recipe.form)
    Careful.said.clear()
    standby.shell.stop(1)
    assert Careful.said == []
    assert [(kept.incarnation, kept.state) for kept in first.ports.store.checkpoints] == [(2, newer.state)]


def test_a_standby_that_cannot_take_its_state_up_hands_it_on(monkeypatch: pytest.MonkeyPatch):
    """It is replaced, and nobody else may hold what the last calls left behind."""
    old = Home(Careful, checkpoint="each_call")
    old.value("add", 5)
    newest = old.ports.store.checkpoints.pop()
    standby = Home(Careful, role="standby", incarnation=2, checkpoint="each_call", ports=old.ports)
    standby.shell.keep(KEY, 1, newest.number, newest.state, standby.recipe.form)
    with monkeypatch.context() as patch:
        patch.setattr(Careful, "restore", lambda self, state: 1 / 0)
        with pytest.raises(ChildStartError, match="ZeroDivisionError"):
            standby.shell.activate(1, KEY, 2)
    assert Home(Careful, checkpoint="each_call", incarnation=3, ports=old.ports).value("add", 0) == 5


def test_an_exit_in_the_user_s_code_is_told_from_any_other():
    with pytest.raises(LeaveChild):
        leave_child()
    assert asyncio.run(Counter().add_soon(1)) == 1
