"""The root of a real tree is given up: who wants to know is told, the supervisor stays up, and people bring it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from supervisor import AdministrationError, ChildGoneError, Escalate, Supervisor
from supervisor.messages import GroupView
from tests.ray_local import wards
from tests.ray_local.test_children import ANSWER_S, kill, pid


def phase_of(sup: Supervisor, component: str) -> str:
    return next((each.phase for each in sup.healer.incidents() if each.component == component), "")


def refusal_of(act: Callable[[], object]) -> str:
    try:
        act()
    except AdministrationError as error:
        return error.problem
    return ""


def test_a_root_over_its_intensity_tells_everybody_stays_up_and_can_be_brought_back(
    start: Any, eventually: Callable[..., None]
):
    sup: Supervisor = start(root={"intensity": 0})
    sup.healer.start()
    sup.healer.plan("supervisor/*", [Escalate(repeats=1, repeat_s=0.1)])
    group = sup.group("shop", intensity=0)
    ward: Any = group.supervise(wards.Ward, name="ward")
    with sup.subscribe(keys=["root"]) as told, sup.subscribe(kinds=["escalated"]) as escalations:
        kill(pid(ward))
        change = told.next(ANSWER_S)
        assert change is not None
        assert (change.key, change.event, change.status, change.name) == (
            "root",
            "escalated",
            "given_up",
            f"{sup.name}/root",
        )
        assert "shop: child/shop.ward: " in change.detail
        assert escalations.next(ANSWER_S) == change
    eventually(lambda: sup.status().failure == change.detail, "the reason in the status")
    root: GroupView = sup.group_of("root").status()
    assert root.status == "given_up"
    assert refusal_of(lambda: sup.supervise(wards.Ward, name="more")) == "given_up"
    assert isinstance(ward.pid.remote().exception(timeout=ANSWER_S), ChildGoneError)
    row = "select child, detail from children where event = 'escalated'"
    eventually(lambda: sup.events.query(row) == [{"child": "root", "detail": change.detail}], "its row")
    eventually(lambda: phase_of(sup, "supervisor/root") == "escalated", "people being told")
    sup.group_of("supervisor").restart("root")
    assert ward.add.remote().result(timeout=ANSWER_S) == 1
    assert sup.status().failure is None
    eventually(lambda: phase_of(sup, "supervisor/root") == "resolved", "the end of the incident")
