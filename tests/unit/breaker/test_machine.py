"""What the owner decides: opening, agreement, permits; and the defects of other breakers, each by its name."""

from __future__ import annotations

from typing import Any

import pytest

from actors.breaker import messages as m
from actors.breaker.outcome import Outcome
from actors.breaker.published import GENERATION_BITS
from actors.breaker.view import BreakerView
from actors.breaker.votes import Votes
from tests.unit.breaker.scene import BAD, GOOD, LATE, Scene, Steady, fast, moves, only

FAILED_CALL = m.Sample(reporter="p", error="TimeoutError: upstream", duration_s=2.0, ago_s=0.5, trace_id="ab")


def noted(agreed: int, known: int, needed: int | None, reporter: str) -> m.NoteAgreement:
    return m.NoteAgreement(votes=Votes(agreed=agreed, known=known, needed=needed), reporter=reporter)


def known(view: BreakerView) -> int:
    assert view.votes is not None
    return view.votes.known


class TestOpening:
    def test_the_sum_of_all_processes_opens_it_with_the_calls_that_did(self) -> None:
        scene = Scene(window_calls=8, minimum_calls=4)
        assert scene.report(BAD + GOOD, reporter="p", samples=(FAILED_CALL,)) == []
        scene.now += 1.0
        commands = scene.report(BAD + GOOD, reporter="q")
        assert moves(commands) == [("closed", "open", "tripped")]
        cause = only(m.RecordTransition, commands).cause
        assert cause.detail == "50% of 4 calls failed (failure_rate=0.5)"
        assert [(call.error, call.ago_s) for call in cause.samples] == [("TimeoutError: upstream", 1.5)]
        assert cause.trip == m.Trip(rule="failure_rate", value=0.5, threshold=0.5, calls=4)

    def test_slow_calls_open_it_too(self) -> None:
        scene = Scene(slow_call_rate=0.5, slow_call_s=1.0)
        assert moves(scene.report(LATE * 2)) == [("closed", "open", "tripped")]

    def test_a_run_within_one_batch_opens_it_even_if_it_ended(self) -> None:
        scene = Scene(window_calls=100, minimum_calls=50, consecutive_failures=3)
        assert moves(scene.report(BAD * 2 + GOOD + BAD * 2)) == []
        assert moves(scene.report(BAD + GOOD)) == [("closed", "open", "tripped")]

    def test_a_window_of_time_forgets_what_is_too_old_before_it_judges(self) -> None:
        scene = Scene(window_calls=None, window_s=10.0)
        scene.report(BAD)
        scene.now += 11.0
        assert scene.report(BAD) == []

    def test_the_samples_of_one_opening_are_not_those_of_the_next(self) -> None:
        scene = Scene()
        scene.report(BAD * 2, samples=(FAILED_CALL,))
        scene.control("reset")
        assert only(m.RecordTransition, scene.report(BAD * 2)).cause.samples == ()

    def test_jitter_is_drawn_from_the_given_chance(self) -> None:
        machine = Scene(open_jitter=0.5).machine
        machine._s._rng = Steady(0.5)
        event = m.OutcomesReported(reporter="p", generation=machine.generation, outcomes=BAD * 2)
        assert only(m.RecordTransition, machine.handle(event, 0.0)).wait_s == 3.75


class TestAgreement:
    def test_the_sum_of_all_calls_does_not_open_where_a_quorum_decides(self) -> None:
        scene = Scene(quorum=2)
        assert scene.report(BAD * 4) == []
        assert scene.vote("p") == [noted(1, 1, 2, "p")]
        scene.report(GOOD, reporter="r")
        commands = scene.vote("q")
        assert commands[0] == noted(2, 3, 2, "q")
        assert moves(commands) == [("closed", "open", "agreed")]
        cause = only(m.RecordTransition, commands).cause
        assert (cause.reporters, cause.detail) == (("p", "q"), "2 of 3 reporters have opened themselves (quorum=2)")

    def test_one_reporter_has_one_vote(self) -> None:
        scene = Scene(quorum=2)
        scene.vote("p")
        assert moves(scene.vote("p")) == []

    def test_a_vote_ends_with_its_reporter_or_when_it_recovers(self) -> None:
        scene = Scene(quorum=3)
        for reporter in ("p", "q"):
            scene.vote(reporter)
        gone = scene.tell(m.ClosedLocally(reporter="p", generation=scene.machine.generation))
        assert gone == [noted(1, 2, 3, "p")]
        assert scene.tell(m.HolderDied(holder="q")) == [noted(0, 1, 3, "q")]
        assert scene.tell(m.HolderDied(holder="q")) == []
        for reporter in ("r", "s"):
            assert moves(scene.vote(reporter)) == []
        assert moves(scene.vote("t")) == [("closed", "open", "agreed")]

    def test_without_a_quorum_votes_are_only_shown(self) -> None:
        scene = Scene()
        assert scene.vote("p") == [noted(1, 1, None, "p")]
        assert scene.state == "closed"
        assert scene.machine.view(0.0).voters == ("p",)

    def test_a_vote_of_an_earlier_generation_or_on_what_is_open_is_none(self) -> None:
        scene = Scene(quorum=1)
        assert scene.vote("p", generation=scene.machine.generation - 1) == []
        scene.vote("p")
        assert scene.state == "open"
        assert scene.vote("q") == []

    def test_a_quorum_of_nodes_is_not_had_by_the_processes_of_one(self) -> None:
        scene = Scene(quorum=2, quorum_of="nodes")
        for reporter, node in (("p", "one"), ("q", "one"), ("r", "two")):
            scene.tell(m.ReporterSeated(reporter=reporter, node=node))
        for reporter in ("p", "q"):
            assert moves(scene.vote(reporter)) == []
        assert str(scene.machine.view(0.0).votes) == "1 of 1 nodes says open, 2 are needed"
        commands = scene.vote("r")
        assert moves(commands) == [("closed", "open", "agreed")]
        cause = only(m.RecordTransition, commands).cause
        assert cause.detail == "2 of 2 nodes have opened themselves (quorum=2)"
        assert cause.reporters == ("p", "q", "r")

    def test_a_node_whose_last_voter_recovers_or_dies_has_no_vote(self) -> None:
        scene = Scene(quorum=2, quorum_of="nodes")
        for reporter, node in (("p", "one"), ("q", "one"), ("r", "two")):
            scene.tell(m.ReporterSeated(reporter=reporter, node=node))
            scene.report(GOOD, reporter=reporter)
        scene.vote("p")
        scene.vote("q")
        scene.tell(m.ClosedLocally(reporter="p", generation=scene.machine.generation))
        assert only(m.NoteAgreement, scene.tell(m.HolderDied(holder="q"))).votes.agreed == 0
        assert moves(scene.vote("r")) == []

    def test_whoever_recovers_is_judged_by_the_sum_of_all_calls(self) -> None:
        scene = Scene(quorum=2, ramp=(0.5, 1.0))
        scene.vote("p")
        scene.vote("q")
        scene.later(5.0)
        for grant in (scene.grant(), scene.grant()):
            scene.end(grant)
        assert moves(scene.report(BAD * 2)) == [("ramping", "open", "ramp_tripped")]


class TestPermits:
    def test_a_grant_says_all_that_its_holder_must_know(self) -> None:
        scene = Scene().half_opened()
        assert scene.ask("p", 7) == m.GrantPermit(
            holder="p",
            request=7,
            permit=(1 << GENERATION_BITS) + 1,
            generation=scene.machine.generation,
            lease_s=10.0,
        )

    def test_a_request_that_is_repeated_gets_the_same_permit_for_what_is_left_of_it(self) -> None:
        scene = Scene().half_opened()
        first = scene.ask("p", 7)
        scene.now += 4.0
        again = scene.ask("p", 7)
        assert isinstance(first, m.GrantPermit)
        assert isinstance(again, m.GrantPermit)
        assert (again.permit, again.lease_s) == (first.permit, 6.0)
        assert scene.machine.view(scene.now).permits_out == 1

    def test_enough_successes_close_it_and_a_failure_reopens_it(self) -> None:
        scene = Scene().half_opened()
        first, second = scene.grant(), scene.grant("q")
        assert scene.end(first) == []
        assert moves(scene.end(second)) == [("half_open", "closed", "probes_succeeded")]
        scene = Scene().half_opened()
        commands = scene.end(scene.grant(), "failure", sample=FAILED_CALL)
        assert moves(commands) == [("half_open", "open", "probes_failed")]
        assert [call.error for call in only(m.RecordTransition, commands).cause.samples] == [FAILED_CALL.error]

    def test_a_slow_probe_is_no_success(self) -> None:
        scene = Scene(slow_call_rate=0.5, slow_call_s=1.0).half_opened()
        assert moves(scene.end(scene.grant(), "success", duration_s=1.5)) == [("half_open", "open", "probes_failed")]

    def test_an_open_breaker_grants_none_and_says_when_to_ask_again(self) -> None:
        scene = Scene().opened()
        scene.now += 1.0
        assert scene.ask("p", 1) == m.RefusePermit(holder="p", request=1, retry_after_s=4.0)
        scene.control("force_open")
        assert scene.ask("p", 2) == m.RefusePermit(holder="p", request=2, retry_after_s=20.0)
        scene.control("disable")
        assert scene.ask("p", 3) == m.RefusePermit(holder="p", request=3, retry_after_s=0.0)

    def test_when_all_are_out_the_first_that_expires_is_the_time_to_ask_again(self) -> None:
        scene = Scene().half_opened()
        scene.grant()
        scene.now += 2.0
        scene.grant()
        refusal = scene.ask()
        assert isinstance(refusal, m.RefusePermit)
        assert refusal.retry_after_s == 8.0

    def test_what_is_asked_at_the_very_end_of_the_wait_is_granted_though_no_timer_fired(self) -> None:
        scene = Scene().opened()
        scene.now += 5.0
        commands = scene.tell(m.PermitRequested(holder="p", request=1))
        assert moves(commands) == [("open", "half_open", "wait_over")]
        assert only(m.GrantPermit, commands).request == 1

    def test_a_process_that_opened_itself_probes_a_closed_breaker_within_the_same_limit(self) -> None:
        scene = Scene()
        grants = [scene.grant("p"), scene.grant("q")]
        assert scene.refuses("r")
        assert scene.end(grants[0], "failure") == []
        assert moves(scene.end(grants[1], "failure")) == [("closed", "open", "tripped")]

    def test_probes_that_still_run_count_against_the_limit_of_the_next_time(self) -> None:
        scene = Scene(permit_lease_s=100.0).half_opened()
        scene.grant("hung")
        scene.end(scene.grant(), "failure")
        scene.later(10.0)
        assert scene.state == "half_open"
        scene.grant()
        assert scene.refuses()

    def test_durations_are_those_of_calls_and_of_probes(self) -> None:
        scene = Scene()
        scene.report(GOOD, durations=b"\5")
        scene.end(scene.grant(), duration_s=1.0)
        assert sum(count for _, count in scene.machine.view(0.0).durations) == 2


class TestDefectsOfOthers:
    """Each was seen in another library; see the issue under Proof."""

    @pytest.mark.parametrize("way", [Scene.opened, Scene.half_opened])
    def test_a_stale_success_closes_neither_an_open_nor_a_half_open_breaker(self, way: Any) -> None:
        scene = Scene()
        admitted = scene.machine.generation
        way(scene)
        state = scene.state
        assert scene.report(GOOD * 50, generation=admitted) == []
        assert scene.state == state
        assert scene.machine.view(scene.now).totals.stale == 50

    def test_a_stale_probe_of_an_earlier_half_open_time_closes_nothing(self) -> None:
        scene = Scene().half_opened()
        slow_one, other = scene.grant(), scene.grant()
        scene.end(other, "failure")
        scene.later(9.99)
        assert scene.end(slow_one) == []
        scene.later(0.01)
        assert scene.state == "half_open"
        assert scene.machine.view(scene.now).probes_succeeded == 0

    def test_a_stale_failure_opens_nothing_that_has_recovered(self) -> None:
        scene = Scene()
        admitted = scene.machine.generation
        scene.half_opened()
        for grant in (scene.grant(), scene.grant()):
            scene.end(grant)
        assert scene.report(BAD * 50, generation=admitted) == []
        assert scene.state == "closed"

    @pytest.mark.parametrize("outcome", ["cancelled", "ignored"])
    def test_a_cancelled_or_ignored_probe_neither_closes_nor_opens_and_gives_its_permit_back(
        self, outcome: Outcome
    ) -> None:
        scene = Scene().half_opened()
        for _ in range(10):
            first, second = scene.grant(), scene.grant()
            assert scene.refuses()
            assert scene.end(first, outcome) == []
            assert scene.end(second, outcome) == []
        assert scene.state == "half_open"
        view = scene.machine.view(scene.now)
        assert (view.probes_succeeded, view.probes_failed, view.permits_out) == (0, 0, 0)
        assert view.totals.neutral == 20

    def test_cancelled_calls_are_not_counted(self) -> None:
        scene = Scene()
        assert scene.report(b"", neutral=50) == []
        assert scene.machine.view(0.0).calls == 0

    def test_a_stale_release_mints_no_permits(self) -> None:
        scene = Scene().half_opened()
        first, _second = scene.grant("p"), scene.grant("p")
        for wrong in (
            {"permit": first.permit + 99},
            {"permit": 0},
            {"holder": "q"},
        ):
            scene.end(first, "cancelled", **wrong)
        assert scene.refuses()
        for _ in range(3):
            scene.end(first, "cancelled")
        scene.grant("p")
        assert scene.refuses()
        scene.end(first, "cancelled")
        assert scene.refuses()
        assert scene.machine.view(scene.now).totals.permits_late == 6

    def test_a_release_after_its_lease_expired_mints_no_permit(self) -> None:
        scene = Scene().half_opened()
        late, other = scene.grant("p"), scene.grant("q")
        scene.now += 10.0
        replacements = [scene.grant("r"), scene.grant("s")]
        scene.end(late, "cancelled")
        scene.end(other, "success")
        assert scene.refuses()
        assert scene.machine.view(scene.now).probes_succeeded == 0
        assert len({late.permit, other.permit, *(each.permit for each in replacements)}) == 4

    def test_concurrent_callers_are_not_all_admitted_half_open(self) -> None:
        scene = Scene(half_open_permits=3).half_opened()
        answers = [scene.ask(f"process {number % 8}") for number in range(400)]
        assert sum(isinstance(answer, m.GrantPermit) for answer in answers) == 3
        view = scene.machine.view(scene.now)
        assert (view.totals.permits_granted, view.totals.permits_refused) == (3, 397)

    def test_no_more_probes_than_permits_are_let_through_in_all(self) -> None:
        scene = Scene(half_open_permits=3, half_open_success_rate=1.0).half_opened()
        scene.end(scene.grant())
        scene.end(scene.grant())
        scene.grant()
        assert scene.refuses()

    def test_a_hung_probe_does_not_wedge_it(self) -> None:
        scene = Scene(half_open_permits=1).half_opened()
        scene.grant("hung")
        scene.later(9.99)
        assert scene.refuses()
        scene.later(0.01)
        assert moves(scene.end(scene.grant("p"))) == [("half_open", "closed", "probes_succeeded")]
        assert scene.machine.view(scene.now).totals.permits_expired == 1

    def test_the_death_of_its_holder_frees_a_permit_at_once(self) -> None:
        scene = Scene().half_opened()
        scene.grant("p")
        scene.grant("p")
        assert scene.refuses("q")
        assert scene.tell(m.HolderDied(holder="p")) == []
        scene.grant("q")
        scene.grant("q")
        assert scene.refuses("q")

    @pytest.mark.parametrize("step", [-1e6, -1.0])
    def test_a_clock_that_steps_back_moves_no_wait(self, step: float) -> None:
        scene = Scene(now=100.0).opened()
        scene.now = 100.0 + step
        scene.tell(m.TimePassed())
        assert scene.machine.published(scene.now).wait_s == 5.0
        assert scene.machine.next_timer() == 105.0
        scene.now = 104.9
        assert moves(scene.tell(m.TimePassed())) == []
        scene.now = 105.0
        assert moves(scene.tell(m.TimePassed())) == [("open", "half_open", "wait_over")]

    def test_a_result_with_another_generation_than_its_permit_says_nothing_and_gives_it_back(self) -> None:
        scene = Scene(half_open_permits=1).half_opened()
        grant = scene.grant()
        assert scene.end(grant, "success", generation=grant.generation - 1) == []
        assert scene.state == "half_open"
        scene.grant()


class TestView:
    def test_it_shows_what_is_counted_and_who_reports(self) -> None:
        scene = Scene(window_calls=8, minimum_calls=8)
        scene.report(GOOD * 3 + BAD, refused=2, neutral=1)
        scene.now += 2.0
        view = scene.machine.view(scene.now)
        assert (view.calls, view.failure_rate, view.slow_rate, view.failures_in_a_row) == (4, 0.25, 0.0, 1)
        assert (view.nearness, view.since_s, known(view), view.state_left_s) == (0.25, 2.0, 1, None)
        totals = view.totals
        assert (totals.successes, totals.failures, totals.refused, totals.neutral) == (3, 1, 2, 1)
        assert view.settings == fast(window_calls=8, minimum_calls=8)

    def test_it_shows_time_that_passed_since_the_last_event(self) -> None:
        scene = Scene(window_calls=None, window_s=10.0)
        scene.report(GOOD)
        assert scene.machine.view(99.0).calls == 0
        assert known(scene.machine.view(99.0)) == 0
        assert Scene().opened().machine.view(2.0).state_left_s == 3.0

    def test_probes_are_shown_while_half_open(self) -> None:
        scene = Scene().half_opened()
        scene.end(scene.grant())
        scene.grant()
        view = scene.machine.view(scene.now)
        assert (view.probes_succeeded, view.probes_required, view.permits_out) == (1, 2, 1)


def test_it_asks_to_be_looked_at_when_something_is_due() -> None:
    scene = Scene()
    assert scene.machine.next_timer() is None
    scene.half_opened()
    assert scene.machine.next_timer() == 35.0
    scene.grant()
    assert scene.machine.next_timer() == 15.0
