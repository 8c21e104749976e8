"""What the healer has people told arrives in order, also where the notifier does not answer for a while."""

from __future__ import annotations

import threading
from typing import Any

from actors.healer import messages as m
from actors.healer.incident import Entry, Incident
from actors.healer.people import People
from actors.notifier.messages import Alert, KeptAlert
from actors.runtime.errors import ConfigError
from actors.service.errors import ServiceUnreachableError

WAIT_S = 30.0


class Desk:
    """A notifier that does not answer at first."""

    def __init__(self, *faults: Exception, lasting: tuple[KeptAlert, ...] = (), awaited: int = 1) -> None:
        self.faults = list(faults)
        self.lasting = lasting
        self.awaited = awaited
        self.heard: list[tuple[Any, ...]] = []
        self.came = threading.Event()

    def change(self, what: str, *arguments: Any) -> None:
        self._answer()
        self.heard.append((what, *arguments))
        if len(self.heard) == self.awaited:
            self.came.set()

    def ask(self, what: str) -> tuple[KeptAlert, ...]:
        assert what == "lasting"
        self._answer()
        return self.lasting

    def _answer(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


def escalated(name: str = "1.1", **fields: Any) -> m.TellPhase:
    given: dict[str, Any] = {"component": "db", "failure": "crash", "severity": "high", "phase": "escalated"}
    incident = Incident(incident_id=name, history=(Entry(what="escalated"),), **(given | fields))
    return m.TellPhase(incident=incident, before="verifying")


def end(name: str = "1.1") -> m.EndAlert:
    return m.EndAlert(incident_id=name, how="forgotten", detail="so")


def unreachable() -> ServiceUnreachableError:
    return ServiceUnreachableError("notifier/main", what="raise", waited_s=20.0, reason="it died")


def test_in_order_and_again_until_it_is_taken():
    desk = Desk(unreachable(), awaited=2)
    people = People(lambda: desk, tells=True, limit=10)
    people.note(escalated())
    people.note(escalated("1.2", owner="ann"))
    people.note(end())
    assert desk.came.wait(WAIT_S)
    assert [(what, getattr(first, "key", first)) for what, first, *_ in desk.heard] == [
        ("raise", "1.1/escalated"),
        ("resolve", "1.1/escalated"),
    ]
    assert desk.heard[1][2:] == ("so", "forgotten")
    people.stop()


def test_what_is_refused_holds_nothing_up():
    desk = Desk(ConfigError("channels", problems=("none",)))
    people = People(lambda: desk, tells=True, limit=10)
    people.note(escalated())
    people.note(end("1.2"))
    assert desk.came.wait(WAIT_S)
    assert [what for what, *_ in desk.heard] == ["resolve"]
    people.stop()


def test_a_new_life_hears_of_which_incidents_people_were_told():
    mine = Alert(key="0.9/escalated", component="db", severity="high", title="db", incident_id="0.9")
    other = Alert(key="health/main/blind/killed", component="health/main", severity="high", title="blind")
    desk = Desk(unreachable(), lasting=tuple(KeptAlert(alert=each, channels=("mail",)) for each in (mine, other)))
    people = People(lambda: desk, tells=True, limit=10)
    found: list[m.AlertsFound] = []
    people.look_back(found.append)
    people.note(end())
    assert desk.came.wait(WAIT_S)
    assert found == [m.AlertsFound(incidents=("0.9",))]
    people.stop()


def test_without_channels_nobody_is_asked():
    people = People(lambda: 1 / 0, tells=False, limit=10)
    people.note(end())
    people.look_back(lambda _: None)
    people.stop()
    assert not any(thread.name == "healer-people" for thread in threading.enumerate() if thread.is_alive())
