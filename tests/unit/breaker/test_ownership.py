"""What an owner knows of its breakers, and when it begins to decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actors.breaker import messages as m
from actors.breaker.insight import explain
from actors.breaker.kept import Kept
from actors.breaker.ownership import (
    GATHER_S,
    LOG_AGAIN_S,
    LOG_S,
    LOG_TOO_S,
    QUEUED_MAX,
    Definition,
    Found,
    Ownership,
    ReadLog,
    RecordBegun,
)
from actors.breaker.parcels import Request
from actors.breaker.published import GENERATION_BITS, Published, State
from actors.runtime.errors import ConfigError
from tests.unit.breaker.scene import BAD, Steady, fast

DEFAULT = Definition(settings=fast(), packed=b"default")
GIVEN = Definition(settings=fast(open_s=7.0), packed=b"given")
LIFE = 1 << GENERATION_BITS


class House:
    """One owner in virtual time."""

    def __init__(self, life: int = 1) -> None:
        self.now = 50.0
        self._requests = 0
        self.owned = Ownership("breaker/bank", life=life, default=DEFAULT, rng=Steady())

    def introduce(self, name: str = "bank", process: str = "p", **more: Any) -> list[Any]:
        told: dict[str, Any] = {"node": "one", "definition": GIVEN, "found": None} | more
        return self.owned.introduce(name, process, now=self.now, **told)

    def log(self, found: Found | None = None, name: str = "bank") -> list[Any]:
        return self.owned.found_in_log(name, found, self.now)

    def wait(self, seconds: float) -> list[Any]:
        self.now += seconds
        return self.owned.pass_time(self.now)

    def tell(self, event: m.Event, name: str = "bank") -> list[Any]:
        return self.owned.handle(name, event, self.now)

    def request(
        self,
        asked: m.ControlRequested | m.ConfigureRequested,
        *,
        key: str | None = None,
        name: str = "bank",
        packed: bytes = b"",
    ) -> list[Any]:
        self._requests += 1
        control = asked if isinstance(asked, m.ControlRequested) else None
        request = Request(
            key=key or str(self._requests),
            name=name,
            control=control,
            settings=packed,
            who=asked.who,
            reason=asked.reason,
        )
        return self.owned.carry_out(request, asked, self.now)

    def begun(self, name: str = "bank") -> House:
        self.introduce(name)
        self.log(name=name)
        return self

    @property
    def published(self) -> Published:
        said = self.owned.said("bank", self.now)
        assert said is not None
        return said.published

    @property
    def settings(self) -> bytes:
        said = self.owned.said("bank", self.now)
        assert said is not None
        return said.settings


def copy(state: State, generation: int, *, rules: int = 1, same_cluster: bool = True, **more: Any) -> Found:
    published = Published(state=state, generation=generation, rules=rules, **more)
    return Found(kept=Kept(published=published, settings=fast(open_s=3.0)), settings=b"kept", same_cluster=same_cluster)


def kinds(commands: list[Any]) -> list[str]:
    return [type(command).__name__ for _, command in commands]


def test_a_new_name_is_looked_for_in_the_log_before_anything_is_decided():
    house = House()
    assert house.introduce() == [("bank", ReadLog())]
    assert house.owned.said("bank", house.now) is None
    refused = house.tell(m.PermitRequested(holder="p", request=1))
    assert kinds(refused) == ["RefusePermit"]
    assert house.tell(m.OutcomesReported(reporter="p", generation=0, outcomes=BAD)) == []
    commands = house.log()
    assert kinds(commands) == ["RecordBegun", "Publish"]
    assert commands[0] == ("bank", RecordBegun())
    assert (house.published.state, house.published.generation) == ("closed", LIFE)
    assert house.settings == b"given"


def test_what_the_log_has_goes_on_with_the_wait_that_is_left():
    house = House()
    house.introduce()
    house.log(copy("open", 9 * LIFE + 4, wait_s=2.0, openings=3, same_cluster=False))
    assert (house.published.state, house.published.openings, house.published.wait_s) == ("open", 3, 2.0)
    assert house.published.incarnation == 10
    assert kinds(house.wait(2.0)) == ["RecordTransition", "Publish"]
    assert house.published.state == "half_open"
    assert kinds(house.tell(m.PermitRequested(holder="p", request=1))) == ["GrantPermit"]


def test_a_successor_waits_for_what_processes_hold_and_takes_the_newest():
    house = House(life=2)
    house.introduce(found=copy("closed", LIFE + 1))
    house.log(copy("closed", LIFE))
    assert not house.owned.is_decided("bank")
    house.introduce(process="q", found=copy("open", LIFE + 2, wait_s=5.0))
    assert kinds(house.wait(GATHER_S)) == ["RecordBegun", "Publish", "NoteRecovered"]
    assert (house.published.state, house.published.incarnation) == ("open", 2)
    assert house.published.wait_s == pytest.approx(5.0 - GATHER_S)


def test_permits_that_a_successor_does_not_know_are_waited_out():
    house = House(life=2)
    house.introduce(found=copy("half_open", LIFE + 3))
    house.log()
    house.wait(GATHER_S)
    assert kinds(house.tell(m.PermitRequested(holder="p", request=1))) == ["RefusePermit"]
    house.wait(10.0)
    assert kinds(house.tell(m.PermitRequested(holder="p", request=2))) == ["GrantPermit"]


def test_a_silent_log_is_waited_for_only_where_nothing_else_is_known():
    house = House()
    house.introduce()
    assert house.wait(LOG_S - 0.1) == []
    assert kinds(house.wait(0.1)) == ["RecordBegun", "Publish"]
    assert house.published.state == "closed"


def test_a_copy_on_the_board_is_enough_but_the_log_is_waited_for_a_little():
    house = House(life=2)
    assert house.owned.found("bank", copy("forced_open", LIFE + 1), house.now) == [("bank", ReadLog())]
    assert house.wait(GATHER_S) == []
    house.wait(LOG_TOO_S - GATHER_S)
    assert house.published.state == "forced_open"
    assert house.owned.names() == ("bank",)


def test_code_defines_anew_in_another_cluster_unless_somebody_configured():
    for rules, packed in ((1, b"given"), (2, b"kept")):
        house = House()
        house.introduce()
        house.log(copy("closed", LIFE, rules=rules, same_cluster=False))
        assert house.settings == packed


def test_the_first_definition_stands_also_when_an_earlier_use_had_none():
    house = House()
    house.introduce(definition=None)
    house.log()
    assert house.settings == b"default"
    assert "RecordConfigured" in kinds(house.introduce(process="q"))
    assert house.settings == b"given"
    other = Definition(settings=fast(open_s=1.0), packed=b"other")
    assert house.introduce(process="r", definition=other) == []
    assert house.settings == b"given"


@pytest.mark.parametrize("words", [{"who": "ann", "reason": None}, {"who": 7, "reason": "drill"}])
@pytest.mark.parametrize("begun", [True, False])
def test_a_request_that_cannot_stand_on_record_is_refused_whoever_sent_it(words: Any, begun: bool):
    house = House()
    if begun:
        house.begun()
    asked: Any = m.ControlRequested(action="force_open", **words)
    for _ in range(2):
        with pytest.raises(ConfigError):
            house.request(asked, key="same")
    if begun:
        assert house.published.state == "closed"
    else:
        assert not house.owned.knows("bank")


def test_what_people_ask_for_meanwhile_is_done_when_it_is_decided():
    house = House()
    ask = m.ControlRequested(action="force_open", who="ann", reason="drill")
    assert house.request(ask) == [("bank", ReadLog())]
    house.log()
    assert house.published.state == "forced_open"
    changed = m.ConfigureRequested(settings=fast(open_s=9.0), who="ann", reason="slower")
    house.request(changed, packed=b"new")
    said = house.owned.said("bank", house.now)
    assert said is not None
    assert said.settings == b"new"
    assert said.cause is not None
    assert said.cause[2:] == ("ann", "drill")


def test_a_dead_process_holds_nothing_and_votes_for_nothing():
    house = House().begun()
    house.tell(m.OutcomesReported(reporter="p", generation=LIFE, outcomes=2 * BAD))
    house.wait(5.0)
    assert house.published.state == "open"
    house.wait(2.0)
    asks = [m.PermitRequested(holder="p", request=number) for number in (1, 2, 3)]
    assert [kinds(house.tell(ask))[0] for ask in asks] == ["GrantPermit", "GrantPermit", "RefusePermit"]
    house.owned.process_died("p", house.now)
    assert kinds(house.tell(m.PermitRequested(holder="q", request=1))) == ["GrantPermit"]
    assert house.owned.process_died("nobody", house.now) == []


def test_each_breaker_has_its_own_time():
    house = House().begun("a").begun("b")
    for name, count in (("a", 1), ("b", 2)):
        house.tell(m.OutcomesReported(reporter="p", generation=LIFE, outcomes=2 * BAD), name)
        house.now += count
    assert house.owned.next_at() == pytest.approx(57.0)
    assert {name for name, _ in house.wait(10.0)} == {"a", "b"}
    kept = house.owned.kept("a", house.now)
    assert kept is not None
    assert kept[1] == b"given"
    assert [name for name, _ in house.owned.views(("b", "nobody"), house.now)] == ["b"]
    assert house.owned.knows("a")
    assert not house.owned.knows("nobody")


def test_requests_that_wait_are_bounded():
    house = House()
    house.introduce("n0")
    ask = m.ControlRequested(action="reset", who="ann", reason="x")
    for _ in range(QUEUED_MAX):
        house.request(ask, name="n0")
    with pytest.raises(ValueError, match="requests wait"):
        house.request(ask, name="n0")


def test_a_request_that_arrives_twice_is_carried_out_once():
    house = House().begun()
    ask = m.ControlRequested(action="force_open", who="ann", reason="drill")
    assert house.request(ask, key="k") != []
    generation = house.published.generation
    assert house.request(ask, key="k") == []
    assert house.published.generation == generation
    assert house.request(ask, key="another") != []
    assert house.published.generation == generation + 1


def test_a_quorum_of_nodes_counts_the_nodes_of_the_processes_that_introduced_themselves() -> None:
    house = House()
    definition = Definition(settings=fast(quorum=2, quorum_of="nodes"), packed=b"nodes")
    for process, node in (("p", "one"), ("q", "one")):
        house.introduce(process=process, node=node, definition=definition)
    house.log()
    house.introduce(process="r", node="two", definition=None)
    trip = m.Trip(rule="failure_rate", value=1.0, threshold=0.5, calls=4)
    states: list[str] = []
    for process in ("p", "q", "r"):
        house.tell(m.OpenedLocally(reporter=process, generation=LIFE, trip=trip))
        states.append(house.published.state)
    assert states == ["closed", "closed", "open"]


class TestALogThatWasSilent:
    """When the name was first used; what it tells later is not lost."""

    def begun(self, **more: Any) -> House:
        house = House()
        house.introduce(**more)
        house.wait(LOG_S)
        assert house.owned.is_decided("bank")
        return house

    def test_it_is_asked_again_until_it_answers_and_nothing_is_written_over_what_it_may_have(self) -> None:
        house = self.begun()
        assert house.owned.awaits_log("bank")
        for _ in range(3):
            assert house.wait(LOG_AGAIN_S) == [("bank", ReadLog())]
        assert house.log() == [("bank", RecordBegun())]
        assert not house.owned.awaits_log("bank")
        assert house.wait(LOG_AGAIN_S) == []
        assert house.log(copy("forced_open", 9 * LIFE)) == [], "an answer is taken once"

    def test_people_are_told_that_it_has_not_answered(self) -> None:
        house = self.begun()
        ((_, view),) = house.owned.views(("bank",), house.now)
        assert "The event log has not answered yet" in str(explain(view))
        house.log()
        ((_, view),) = house.owned.views(("bank",), house.now)
        assert "event log" not in str(explain(view))

    @pytest.mark.parametrize("state", ["forced_open", "disabled", "shadow"])
    def test_an_override_that_only_it_knew_holds_with_who_and_why(self, state: State) -> None:
        house = self.begun()
        asked = m.Cause(kind="controlled", detail="force open by ann: a drill", who="ann", reason="a drill")
        found = copy(state, 9 * LIFE + 3, same_cluster=False)
        found = replace(found, kept=replace(found.kept, overridden_by=asked))
        assert kinds(house.log(found)) == ["RecordBegun", "RecordTransition", "Publish"]
        assert (house.published.state, house.published.generation) == (state, 9 * LIFE + 4)
        kept = house.owned.kept("bank", house.now)
        assert kept is not None
        assert kept[0].overridden_by == asked

    def test_settings_that_somebody_configured_hold_and_those_of_code_do_not(self) -> None:
        for rules, settings in ((1, b"given"), (2, b"kept")):
            house = self.begun()
            house.log(copy("closed", 9 * LIFE, rules=rules, same_cluster=False))
            assert house.settings == settings

    @pytest.mark.parametrize("rules", [1, 2])
    def test_calls_that_were_admitted_before_and_after_it_answered_count(self, rules: int) -> None:
        house = self.begun(definition=Definition(settings=fast(open_s=3.0), packed=b"given"))
        if rules == 1:
            house.tell(m.OutcomesReported(reporter="p", generation=house.published.generation, outcomes=BAD))
        house.log(copy("closed", 9 * LIFE, rules=rules, same_cluster=False))
        told = m.OutcomesReported(reporter="p", generation=house.published.generation, outcomes=BAD * rules)
        assert "RecordTransition" in kinds(house.tell(told))
        assert house.published.state == "open"

    def test_the_wait_of_an_open_one_goes_on_if_nothing_has_happened_since(self) -> None:
        house = self.begun()
        house.log(copy("open", 9 * LIFE, wait_s=2.0, openings=3, same_cluster=False))
        assert (house.published.state, house.published.wait_s, house.published.openings) == ("open", 2.0, 3)
        busy = self.begun()
        busy.request(m.ControlRequested(action="reset", who="ann", reason="x"))
        busy.log(copy("open", 9 * LIFE, wait_s=2.0, same_cluster=False))
        assert busy.published.state == "closed"

    def test_what_somebody_has_asked_for_since_stands(self) -> None:
        house = self.begun()
        house.request(m.ControlRequested(action="shadow", who="bob", reason="watch"))
        house.request(m.ConfigureRequested(settings=fast(open_s=9.0), who="bob", reason="slower"), packed=b"asked")
        house.log(copy("forced_open", 9 * LIFE, rules=4, same_cluster=False))
        assert (house.published.state, house.settings) == ("shadow", b"asked")

    def test_what_a_board_knew_better_stands(self) -> None:
        house = House(life=2)
        house.owned.found("bank", copy("disabled", LIFE + 7), house.now)
        house.wait(LOG_TOO_S)
        assert kinds(house.log(copy("forced_open", LIFE + 6))) == ["RecordBegun"]
        assert house.published.state == "disabled"
