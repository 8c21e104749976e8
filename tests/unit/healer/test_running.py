"""Each step of each strategy, and how it ends."""

from __future__ import annotations

import threading
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from actors.healer import running
from actors.healer.running import RecoveryContext
from actors.recovery.course import Step, Taken
from actors.recovery.retry import Fallback, Provider, Retry
from actors.recovery.strategies import Escalate, Isolate, Restart, UserStrategy
from tests.unit.healer.ward import Hand, Ward, call


class BusyError(Exception):
    pass


def double(number: int) -> int:
    return 2 * number


async def slowly(number: int) -> int:
    return 3 * number


def busy(number: int) -> int:
    raise BusyError(f"password=secret {number}")


def leave(number: int) -> int:
    raise SystemExit(number)


def unpicklable(number: int) -> object:
    return threading.Lock()


def reindex(context: RecoveryContext, *, answer: object = None, waits: bool = False) -> object:
    if waits:
        assert context.cancelled.wait(30)
    return context.component if answer is None else answer


@pytest.fixture
def hand(tmp_path: Path) -> Hand:
    return Hand(Ward(tmp_path))


class TestCalls:
    def test_a_call_is_made_again_and_its_result_travels(self, hand: Hand):
        ended = hand.take(Retry(), "call", payload=call(double, 4))
        assert (ended.outcome, hand.result(ended)) == ("succeeded", 8)

    def test_a_coroutine_too(self, hand: Hand):
        assert hand.result(hand.take(Retry(), "call", payload=call(slowly, 4))) == 12

    @pytest.mark.parametrize(
        ("on", "outcome"), [((BusyError,), "failed"), ((OSError,), "refused"), ((Exception,), "failed")]
    )
    def test_only_errors_that_are_worth_it_are_tried_again(self, hand: Hand, on: Any, outcome: str):
        ended = hand.take(Retry(on=on), "call", payload=call(busy, 4))
        assert ended.outcome == outcome
        assert ended.detail == "BusyError: password=*** 4"

    @pytest.mark.parametrize(
        ("on", "failed", "outcome"),
        [
            (OSError, BusyError, "refused"),
            (OSError, ConnectionError, "succeeded"),
            (BusyError, BusyError, "succeeded"),
            (Exception, BusyError, "succeeded"),
            (OSError, None, "succeeded"),
        ],
    )
    def test_what_failed_at_the_callers_is_made_again_only_if_that_is_worth_it(
        self, hand: Hand, on: Any, failed: Any, outcome: str
    ):
        ended = hand.take(Retry(on=on), "call", payload=call(double, 4, failed=failed))
        assert ended.outcome == outcome
        assert outcome == "succeeded" or ended.detail == "BusyError is not worth another attempt"

    def test_that_is_asked_until_it_was_made_once(self, hand: Hand):
        step = Step(action="call", number=0, timeout_s=1.0)
        payload = call(double, 4, failed=BusyError)
        for outcome, ends in (("unknown", "refused"), ("failed", "succeeded")):
            taken = (Taken(step=step, outcome=outcome),)  # pyright: ignore[reportArgumentType]
            assert hand.take(Retry(on=(OSError,)), "call", payload=payload, number=1, taken=taken).outcome == ends

    def test_an_error_whose_class_two_processes_have_sent_by_value_is_known_by_its_name(self, hand: Hand):
        def made() -> type[Exception]:
            class GoneError(Exception):
                pass

            return GoneError

        planned, failed = made(), made()  # both live on: of a class that is gone cloudpickle knows the short name only
        ended = hand.take(Retry(on=(planned,)), "call", payload=call(double, 4, failed=failed))
        assert ended.outcome == "succeeded"

    def test_a_function_that_ends_the_process_does_not(self, hand: Hand):
        assert hand.take(Retry(), "call", payload=call(leave, 4)).outcome == "refused"

    def test_what_returned_what_cannot_travel_is_not_run_again(self, hand: Hand):
        ended = hand.take(Retry(), "call", payload=call(unpicklable, 4))
        assert (ended.outcome, ended.result) == ("refused", None)

    def test_without_its_caller_there_is_nothing_to_call(self, hand: Hand):
        assert hand.take(Retry(), "call").outcome == "refused"


class TestFallback:
    def test_each_provider_is_asked_behind_its_own_breaker(self, hand: Hand):
        strategy = Fallback(busy, breaker="first", others=(Provider(double, breaker="second"), slowly))
        payload = call(busy, 5)
        asked = [hand.take(strategy, "provider", index=index, payload=payload) for index in range(3)]
        assert [each.outcome for each in asked] == ["failed", "succeeded", "succeeded"]
        assert [hand.result(each) for each in asked[1:]] == [10, 15]
        assert [each.detail for each in asked[1:]] == ["double", "slowly"]
        assert hand.ward.guarded_by == ["first", "second"]

    def test_one_behind_an_open_breaker_is_passed_over(self, hand: Hand):
        hand.ward.open_breakers.add("first")
        ended = hand.take(Fallback(double, breaker="first"), "provider", payload=call(busy, 5))
        assert ended.outcome == "failed"
        assert "breaker 'first' is open" in ended.detail

    @pytest.mark.parametrize(("age_s", "outcome"), [(5.0, "succeeded"), (11.0, "failed")])
    def test_an_earlier_result_is_good_for_a_while(self, hand: Hand, age_s: float, outcome: str):
        strategy = Fallback(double, stale_s=10.0)
        ended = hand.take(strategy, "stale", payload=call(double, 5, stale="old", stale_age_s=age_s))
        assert ended.outcome == outcome
        assert outcome == "failed" or hand.result(ended) == "old"

    def test_without_one_there_is_none(self, hand: Hand):
        assert hand.take(Fallback(double, stale_s=10.0), "stale", payload=call(double, 5)).outcome == "failed"


class TestOthers:
    def test_a_restart_is_the_supervisor_s(self, hand: Hand):
        assert hand.take(Restart(), "restart").outcome == "succeeded"
        assert hand.ward.restarts == ["cart"]

    def test_isolation_names_the_node(self, hand: Hand):
        assert hand.take(Isolate(drain_s=1.0, keep_off_s=9.0), "isolate").outcome == "succeeded"
        assert hand.ward.isolated == [("cart", "n1", 1.0, 9.0)]

    def test_people_are_told_anew_each_time_under_one_key(self, hand: Hand):
        for number in range(2):
            strategy = Escalate(channels=("ops",), runbook="https://wiki/cart")
            assert hand.take(strategy, "notify", number=number).outcome == "succeeded"
        assert [(alert.key, alert.nth, channels) for alert, channels in hand.ward.told] == [
            ("7/escalated", 0, ("ops",)),
            ("7/escalated", 1, ("ops",)),
        ]
        alert = hand.ward.told[0][0]
        assert (alert.component, alert.severity, alert.incident_id) == ("cart", "high", "7")
        assert (alert.title, alert.body, alert.runbook) == ("cart: crash", "it hurts", "https://wiki/cart")

    def test_nobody_told_is_a_failure(self, hand: Hand):
        hand.ward.channels = ()
        assert hand.take(Escalate(), "notify").outcome == "failed"

    def test_a_step_that_hangs_is_not_known_and_counted(self, hand: Hand):
        gate = threading.Event()
        hand.ward.isolate = lambda *_, **__: gate.wait(30)  # type: ignore[method-assign]
        ended = hand.take(Isolate(drain_s=0.01, timeout_s=0.1), "isolate", timeout_s=0.1)
        assert (ended.outcome, hand.runner.hung, hand.runner.working) == ("unknown", 1, 0)
        gate.set()
        until(lambda: hand.runner.hung == 0)


class TestUsers:
    @pytest.fixture(autouse=True)
    def installed(self, monkeypatch: pytest.MonkeyPatch):
        def points(*, group: str, name: str) -> list[EntryPoint]:
            known = group == running.STRATEGIES and name == "reindex"
            return [EntryPoint(name, f"{__name__}:reindex", group)] if known else []

        monkeypatch.setattr(running, "entry_points", points)

    @pytest.mark.parametrize(("answer", "outcome"), [(None, "succeeded"), (True, "succeeded"), (False, "failed")])
    def test_a_strategy_of_ones_own_is_found_by_its_entry_point(self, hand: Hand, answer: object, outcome: str):
        assert hand.take(UserStrategy(name="reindex", options={"answer": answer}), "user").outcome == outcome

    def test_one_that_is_not_installed_is_named(self, hand: Hand):
        ended = hand.take(UserStrategy(name="nowhere"), "user")
        assert ended.outcome == "refused"
        assert "'nowhere'" in ended.detail

    def test_it_sees_that_nobody_waits_any_more(self, hand: Hand):
        ends: list[Any] = []
        strategy = UserStrategy(name="reindex", options={"waits": True})
        worker = threading.Thread(target=lambda: ends.append(hand.take(strategy, "user")))
        worker.start()
        until(lambda: hand.runner.working == 1)
        hand.runner.cancel("r")
        worker.join(30)
        assert [each.outcome for each in ends] == ["succeeded"]
        hand.runner.cancel("nobody")


def until(condition: Any) -> None:
    deadline = threading.Event()
    for _ in range(1000):
        if condition():
            return
        deadline.wait(0.01)
    raise AssertionError("it did not come to that")
