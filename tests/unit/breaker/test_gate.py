"""What one process decides by itself, and what it tells and asks."""

from __future__ import annotations

import pytest

from actors.breaker import messages as m
from actors.breaker.gate import ASK_AGAIN_S
from actors.breaker.outcome import FAILED, SLOW, SUCCESS
from actors.breaker.published import State
from actors.breaker.reports import REPORT_CALLS, REPORT_S
from actors.breaker.verdict import Admitted, Ask, Refused
from tests.unit.breaker.rig import FIRST, Rig
from tests.unit.breaker.scene import BAD, GOOD


class TestTheOwnersWord:
    @pytest.mark.parametrize("state", ["closed", "shadow", "disabled"])
    def test_calls_pass_freely(self, state: State) -> None:
        rig = Rig(state)
        assert rig.admit() == Admitted(rig.gate.ticket)
        assert (rig.gate.free, rig.gate.counts) == (True, state != "disabled")
        assert rig.gate.retry_after_s(rig.now) == 0.0

    def test_open_refuses_until_the_owner_says_otherwise_though_the_wait_is_over(self) -> None:
        rig = Rig()
        rig.follow("open", wait_s=4.0)
        rig.now += 1.0
        assert rig.admit() == Refused(state="open", retry_after_s=3.0, by_itself=False)
        rig.now += 99.0
        assert rig.admit() == Refused(state="open", retry_after_s=ASK_AGAIN_S, by_itself=False)

    def test_forced_open_refuses_and_does_not_know_for_how_long(self) -> None:
        rig = Rig("forced_open")
        assert rig.admit() == Refused(state="forced_open", retry_after_s=20.0, by_itself=False)

    @pytest.mark.parametrize(("share", "passed"), [(0.1, 10), (0.25, 25), (1.0, 100)])
    @pytest.mark.parametrize("drawn", [0.0, 0.5, 0.99])
    def test_a_ramp_lets_its_share_pass_evenly(self, share: float, passed: int, drawn: float) -> None:
        rig = Rig(drawn=drawn, ramp=(share,) if share == 1.0 else (share, 1.0))
        rig.follow("ramping", share=share)
        told = [rig.passes() for _ in range(100)]
        assert abs(sum(told) - passed) <= 1
        assert sum(told[:50]) == pytest.approx(passed / 2, abs=1)

    def test_a_ramp_says_when_more_will_pass(self) -> None:
        rig = Rig(ramp=(0.1, 1.0), ramp_step_s=2.0)
        rig.follow("ramping", share=0.1)
        assert rig.admit() == Refused(state="ramping", retry_after_s=2.0, by_itself=False)

    def test_an_earlier_generation_is_passed_over(self) -> None:
        rig = Rig()
        rig.follow("open", wait_s=4.0)
        rig.follow("closed", generation=FIRST)
        assert rig.gate.published.state == "open"

    def test_the_same_generation_may_bring_another_wait_or_share(self) -> None:
        rig = Rig()
        rig.follow("open", wait_s=4.0)
        rig.follow("open", generation=rig.generation, wait_s=9.0)
        assert rig.gate.retry_after_s(rig.now) == 9.0

    def test_what_calls_of_an_earlier_generation_say_is_told_to_nobody(self) -> None:
        rig = Rig()
        ticket = rig.gate.ticket
        rig.follow("open")
        rig.follow("closed")
        assert rig.end(FAILED, FAILED, FAILED, ticket=ticket) == [False] * 3
        assert rig.gate.record_successes(2, ticket, rig.now) is False
        assert (rig.passes(), rig.gate.stale, rig.gate.take_reports()) == (True, 5, ())

    def test_a_disabled_breaker_counts_nothing(self) -> None:
        rig = Rig("disabled")
        assert rig.end(FAILED, FAILED, FAILED) == [False] * 3
        assert rig.gate.record_successes(5, rig.gate.ticket, rig.now) is False
        assert (rig.gate.stale, rig.gate.take_reports()) == (0, ())

    def test_a_shadowed_breaker_reports_and_never_opens_itself(self) -> None:
        rig = Rig("shadow")
        assert rig.end(FAILED, FAILED, FAILED) == [False] * 3
        assert rig.passes()
        (event,) = rig.gate.take_reports()
        assert isinstance(event, m.OutcomesReported)
        assert event.outcomes == BAD * 3


class TestOpeningItself:
    def test_it_is_shut_at_once_without_asking_anybody_and_tells_so(self) -> None:
        rig = Rig()
        assert rig.end(FAILED, FAILED) == [True, True]
        assert rig.admit() == Refused(state="open", retry_after_s=5.0, by_itself=True)
        assert not rig.gate.free
        outcomes, opened = rig.gate.take_reports()
        assert isinstance(outcomes, m.OutcomesReported)
        assert isinstance(opened, m.OpenedLocally)
        assert (outcomes.outcomes, outcomes.refused) == (BAD * 2, 1)
        assert (opened.reporter, opened.generation, opened.trip.rule) == ("p", FIRST, "failure_rate")

    def test_a_slow_call_may_open_it(self) -> None:
        rig = Rig(slow_call_rate=0.5, slow_call_s=1.0)
        rig.end(SLOW, SLOW)
        assert rig.gate.state(rig.now) == "open"

    def test_calls_that_were_under_way_are_told_to_the_owner_and_count_here_no_more(self) -> None:
        rig = Rig()
        ticket = rig.gate.ticket
        rig.probing()
        rig.end(FAILED, ticket=ticket)
        rig.gate.record_successes(2, ticket, rig.now)
        (event,) = rig.gate.take_reports()
        assert isinstance(event, m.OutcomesReported)
        assert event.outcomes == BAD + GOOD * 2
        for number in (1, 2):
            rig.finish(rig.grant(number))
        rig.end(*[FAILED] * 9, ticket=ticket)
        assert rig.passes()

    def test_its_probes_lift_it(self) -> None:
        rig = Rig().probing()
        permits = [rig.grant(1), rig.grant(2)]
        assert not isinstance(rig.admit(), Ask)
        for permit in permits:
            ended = rig.finish(permit)
            assert ended is not None
            assert (ended.permit, ended.outcome) == (permit.number, "success")
        assert rig.passes()
        assert rig.gate.report_at() == float("-inf")
        assert rig.gate.take_reports()[-1] == m.ClosedLocally(reporter="p", generation=FIRST)
        assert rig.end(FAILED) == [True]
        assert rig.passes()

    def test_a_probe_that_fails_shuts_it_for_longer(self) -> None:
        rig = Rig().probing()
        slow_one, other = rig.grant(1), rig.grant(2)
        rig.finish(other, "failure")
        refused = rig.admit()
        assert isinstance(refused, Refused)
        assert (refused.state, refused.retry_after_s) == ("open", 10.0)
        assert isinstance(rig.gate.take_reports()[-1], m.OpenedLocally)
        rig.now += 10.0
        assert rig.finish(slow_one, "failure") is not None
        assert rig.gate.state(rig.now) == "half_open"

    def test_neutral_and_slow_probes(self) -> None:
        rig = Rig(slow_call_rate=0.5, slow_call_s=1.0).probing()
        for outcome in ("cancelled", "ignored"):
            ended = rig.finish(rig.grant(), outcome)
            assert ended is not None
            assert ended.outcome == outcome
            assert rig.gate.state(rig.now) == "half_open"
        rig.finish(rig.grant(), "success", duration_s=2.0)
        assert rig.gate.state(rig.now) == "open"

    @pytest.mark.parametrize("state", ["open", "closed", "half_open", "forced_open"])
    def test_a_transition_of_the_cluster_ends_it(self, state: State) -> None:
        rig = Rig().self_opened()
        rig.follow(state)
        assert rig.gate.state(rig.now) == state
        assert rig.gate.take_reports() == ()

    def test_a_ramp_may_be_left_by_one_process_too(self) -> None:
        rig = Rig(ramp=(0.5, 1.0))
        rig.follow("ramping", share=0.5)
        rig.self_opened()
        assert [rig.passes() for _ in range(4)] == [False] * 4

    def test_the_users_function_for_the_wait_is_asked_for(self) -> None:
        rig = Rig(open_s=float)
        assert rig.gate.wait_wanted is None
        rig.gate.answer_wait(1, 1.0)
        rig.self_opened()
        assert (rig.gate.wait_wanted, rig.gate.retry_after_s(rig.now)) == (1, 20.0)
        rig.gate.answer_wait(2, 1.0)
        assert rig.gate.wait_wanted == 1
        rig.gate.answer_wait(1, 3.0)
        assert (rig.gate.wait_wanted, rig.gate.retry_after_s(rig.now)) == (None, 3.0)


class TestReports:
    def test_a_success_waits_for_company_and_a_failure_that_may_open_goes_at_once(self) -> None:
        rig = Rig(window_calls=100, minimum_calls=50, failure_rate=0.5)
        assert rig.gate.report_at() is None
        assert rig.end(SUCCESS) == [False]
        assert rig.gate.report_at() == rig.now + REPORT_S
        assert rig.end(FAILED) == [True]
        assert rig.end(*[SUCCESS] * 20) == [False] * 20
        assert rig.end(FAILED) == [False]

    def test_a_full_batch_goes_at_once(self) -> None:
        rig = Rig()
        assert rig.gate.record_successes(REPORT_CALLS - 1, rig.gate.ticket, rig.now) is False
        assert rig.gate.record_successes(1, rig.gate.ticket, rig.now) is True

    def test_successes_counted_by_the_dozen_are_in_the_window(self) -> None:
        rig = Rig(window_calls=100, minimum_calls=4)
        rig.gate.record_successes(12, rig.gate.ticket, rig.now)
        assert rig.end(*[FAILED] * 11)[-1] is True
        assert rig.passes()
        rig.end(FAILED)
        assert not rig.passes()

    def test_durations_samples_and_neutral_calls_are_told(self) -> None:
        rig = Rig()
        sample = m.Sample(reporter="p", error="broken")
        rig.gate.record(FAILED, rig.gate.ticket, rig.now, duration_s=0.5, sample=sample)
        rig.gate.record_neutral(rig.now)
        (event,) = rig.gate.take_reports()
        assert isinstance(event, m.OutcomesReported)
        assert (len(event.durations), event.samples, event.neutral) == (1, (sample,), 1)
        assert rig.gate.take_reports() == ()
