"""How a gate asks its owner for permits, and what it does without one."""

from __future__ import annotations

from typing import Any

import pytest

from actors.breaker import messages as m
from actors.breaker.gate import ASK_AGAIN_S, ASK_AGAIN_S_MAX, Gate
from actors.breaker.outcome import FAILED, SUCCESS
from actors.breaker.published import GENERATION_BITS, Published
from actors.breaker.settings import BreakerSettings
from actors.breaker.verdict import Ask, Permit, Refused
from tests.unit.breaker.rig import Rig
from tests.unit.breaker.scene import BAD, GOOD, Steady, fast


class TestPermits:
    def test_half_open_asks_the_owner_for_so_many_at_a_time_as_there_are(self) -> None:
        rig = Rig()
        rig.follow("half_open")
        assert [rig.admit() for _ in range(2)] == [Ask(1), Ask(2)]
        assert rig.admit() == Refused(state="half_open", retry_after_s=ASK_AGAIN_S, by_itself=False)

    def test_after_a_refusal_it_pauses_for_longer_each_time_until_a_grant(self) -> None:
        rig = Rig()
        rig.follow("half_open")
        pauses = list[float]()
        for _ in range(8):
            asked = rig.admit()
            assert isinstance(asked, Ask)
            rig.gate.denied(asked.request, rig.now)
            pauses.append(rig.gate.retry_after_s(rig.now))
            assert isinstance(rig.admit(), Refused)
            rig.now += pauses[-1] + 1e-6
        assert pauses == pytest.approx([ASK_AGAIN_S * 2**number for number in range(5)] + [ASK_AGAIN_S_MAX] * 3)
        rig.grant()
        asked = rig.admit()
        assert isinstance(asked, Ask)
        rig.gate.denied(asked.request, rig.now)
        assert rig.gate.retry_after_s(rig.now) == pytest.approx(ASK_AGAIN_S)

    def test_a_denial_that_nobody_waits_for_changes_nothing(self) -> None:
        rig = Rig()
        rig.follow("half_open")
        rig.gate.denied(9, rig.now)
        assert rig.admit() == Ask(1)

    def test_a_permit_that_nobody_waits_for_goes_back(self) -> None:
        rig = Rig()
        rig.follow("half_open")
        asked = rig.admit()
        rig.gate.denied(asked.request, rig.now)
        back = rig.gate.granted(
            m.GrantPermit(holder="p", request=asked.request, permit=5, generation=7, lease_s=1.0), rig.now
        )
        assert back == m.PermitEnded(holder="p", permit=5, generation=7, outcome="cancelled")

    def test_a_permit_that_was_under_way_for_its_whole_lease_goes_back(self) -> None:
        rig = Rig()
        rig.follow("half_open")
        for number, took, stays in ((5, 9.9, True), (6, 10.0, False)):
            asked, asked_at = rig.admit(), rig.now
            rig.now += took
            grant = m.GrantPermit(holder="p", request=asked.request, permit=number, generation=7, lease_s=10.0)
            answer = rig.gate.granted(grant, rig.now)
            assert isinstance(answer, Permit) == stays
            assert not isinstance(answer, Permit) or answer.expires_at == asked_at + 10.0

    def test_a_grant_that_comes_twice_does_not_give_back_a_permit_that_is_in_use(self) -> None:
        """The owner answers a repeated request with the same permit."""
        rig = Rig()
        rig.follow("half_open")
        asked = rig.admit()
        grant = m.GrantPermit(holder="p", request=asked.request, permit=5, generation=7, lease_s=10.0)
        permit = rig.gate.granted(grant, rig.now)
        assert isinstance(permit, Permit)
        assert rig.gate.granted(grant, rig.now) is None
        rig.finish(permit)
        assert isinstance(rig.gate.granted(grant, rig.now), m.PermitEnded)

    def test_a_permit_is_given_back_once(self) -> None:
        rig = Rig()
        rig.follow("half_open")
        permit = rig.grant(5)
        sample = m.Sample(reporter="p", error="broken")
        assert rig.finish(permit, "failure", duration_s=1.0, sample=sample) == m.PermitEnded(
            holder="p", permit=5, generation=rig.generation, outcome="failure", duration_s=1.0, sample=sample
        )
        assert rig.finish(permit, "failure") is None

    def test_a_result_that_comes_after_the_cluster_moved_on_still_gives_its_permit_back(self) -> None:
        rig = Rig()
        rig.follow("half_open")
        permit = rig.grant(5)
        rig.follow("open", wait_s=5.0)
        ended = rig.finish(permit)
        assert ended is not None
        assert ended.generation == permit.generation == rig.generation - 1


class TestALostOwner:
    def test_it_is_news_once(self) -> None:
        gate = Rig().gate
        assert [gate.set_lost(lost=lost) for lost in (True, True, False, False)] == [True, False, True, False]

    def test_closed_goes_on_by_the_own_window(self) -> None:
        rig = Rig()
        rig.gate.set_lost(lost=True)
        assert rig.passes()
        rig.self_opened()

    def test_nobody_asks_to_probe(self) -> None:
        rig = Rig()
        rig.follow("half_open")
        rig.gate.set_lost(lost=True)
        assert isinstance(rig.admit(), Refused)
        rig.gate.set_lost(lost=False)
        assert rig.admit() == Ask(1)
        rig = Rig().probing()
        rig.gate.set_lost(lost=True)
        assert rig.admit() == Refused(
            state="half_open", retry_after_s=ASK_AGAIN_S_MAX, by_itself=True, owner_heard=False
        )

    def test_where_there_will_never_be_one_a_process_that_opened_itself_grants_its_own_probes(self) -> None:
        rig = Rig(alone=True)
        rig.gate.set_lost(lost=True)
        rig.probing()
        first, second = rig.admit(), rig.admit()
        assert [first.number, second.number] == [-1, -2]
        assert first.expires_at == rig.now + rig.settings.permit_lease_s
        assert rig.admit() == Refused(state="half_open", retry_after_s=ASK_AGAIN_S, by_itself=True)
        rig.finish(first, "cancelled")
        third = rig.admit()
        assert isinstance(third, Permit)
        for permit in (second, third):
            rig.finish(permit)
        assert rig.passes()

    def test_there_a_failed_probe_shuts_it_again_and_nobody_probes_for_the_cluster(self) -> None:
        rig = Rig(alone=True)
        rig.gate.set_lost(lost=True)
        rig.probing()
        rig.finish(rig.admit(), "failure")
        assert rig.gate.state(rig.now) == "open"
        rig.follow("half_open")
        refused = rig.admit()
        assert isinstance(refused, Refused)
        assert not refused.owner_heard

    def test_a_successor_that_goes_on_is_told_the_window_and_calls_under_way_still_count(self) -> None:
        rig = Rig(minimum_calls=4)
        ticket = rig.gate.ticket
        rig.end(SUCCESS, SUCCESS, FAILED)
        rig.gate.take_reports()
        rig.end(SUCCESS)
        rig.follow("closed", generation=2 << GENERATION_BITS)
        (event,) = rig.gate.take_reports()
        assert isinstance(event, m.OutcomesReported)
        assert (event.outcomes, event.generation) == (GOOD * 2 + BAD + GOOD, 2 << GENERATION_BITS)
        assert rig.gate.ticket == ticket
        rig.end(FAILED, ticket=ticket)
        assert rig.gate.state(rig.now) == "open"

    def test_a_successor_is_told_who_has_opened_itself(self) -> None:
        rig = Rig().probing()
        rig.follow("closed", generation=2 << GENERATION_BITS)
        opened = rig.gate.take_reports()[-1]
        assert isinstance(opened, m.OpenedLocally)
        assert opened.generation == 2 << GENERATION_BITS
        assert rig.gate.state(rig.now) == "half_open"

    @pytest.mark.parametrize(
        "word",
        [
            {"state": "closed"},
            {"state": "closed", "generation": 2 << GENERATION_BITS, "rules": 2},
            {"state": "shadow", "generation": 2 << GENERATION_BITS},
        ],
    )
    def test_all_begins_anew_where_it_does_not_go_on(self, word: dict[str, Any]) -> None:
        rig = Rig(minimum_calls=4)
        rig.end(FAILED)
        rig.follow(**word)
        assert rig.gate.take_reports() == ()
        rig.end(FAILED, SUCCESS, SUCCESS)
        assert rig.passes()

    def test_a_successor_of_what_was_open_begins_anew(self) -> None:
        rig = Rig("open")
        rig.follow("open", generation=2 << GENERATION_BITS, wait_s=3.0)
        assert rig.gate.retry_after_s(rig.now) == 3.0

    @pytest.mark.parametrize("window", [{"window_calls": 4}, {"window_calls": None, "window_s": 60.0}])
    def test_what_was_gathered_before_the_first_word_is_judged_by_the_settings_that_it_brings(
        self, window: dict[str, Any]
    ) -> None:
        """A handle that arrives in a process knows no settings: until then those of nobody hold."""
        unknown = Published(state="closed", generation=0)
        gate = Gate(BreakerSettings(), unknown, process="p", rng=Steady(), now=100.0)
        for code in (*[SUCCESS] * 8, FAILED):
            gate.record(code, gate.ticket, 100.0)
        settings = fast(failure_rate=0.2, consecutive_failures=50, minimum_calls=4, **window)
        gate.follow(Published(state="closed", generation=1 << GENERATION_BITS), settings, 100.0)
        (told,) = gate.take_reports()
        assert isinstance(told, m.OutcomesReported)
        assert told.outcomes == GOOD * 8 + BAD
        assert gate.window.run.length == 1
        assert gate.window.calls == (4 if settings.window_calls else 9)
        gate.record(FAILED, gate.ticket, 100.0)
        assert gate.state(100.0) == "open"
