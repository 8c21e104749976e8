"""What OpenFeature's SDK expects of a provider: as its tests ask it of its in-memory one, through its own client."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason
from openfeature.hook import Hook
from openfeature.provider import AbstractProvider, FeatureProvider, ProviderStatus
from openfeature.provider.in_memory_provider import InMemoryProvider

from actors.degradation.openfeature import LEVEL_FLAG, DegradationProvider
from tests.unit.degradation.place import Place

DEADLINE_S = 20.0
ACME = EvaluationContext(targeting_key="acme")
KINDS: dict[str, Any] = {"boolean": True, "string": "default", "integer": 7, "float": 7.5, "object": {"a": 1}}


@pytest.fixture
def place() -> Place:
    made = Place()
    made.handle.feature("search", lowest="reduced", limits={"rows": {"full": 9, "reduced": 2.5}})
    made.handle.feature("chat", needs="search")
    made.handle.feature("beta", rollout=0, tenants={"acme": True})
    made.handle.feature("half", rollout=50)
    return made


@pytest.fixture
def client(place: Place) -> Iterator[OpenFeatureClient]:
    api.set_provider_and_wait(DegradationProvider(place.handle), "ours")
    yield api.get_client("ours")
    api.clear_providers()


def test_it_has_all_that_a_provider_has():
    assert issubclass(DegradationProvider, AbstractProvider)
    for name, method in inspect.getmembers(FeatureProvider, inspect.isfunction):
        if not name.startswith("_"):
            theirs = list(inspect.signature(method).parameters)
            assert list(inspect.signature(getattr(DegradationProvider, name)).parameters) == theirs, name


@pytest.mark.parametrize("kind", KINDS)
async def test_unknown_flags_are_answered_as_the_in_memory_provider_does(client: OpenFeatureClient, place: Place, kind):
    default, ours, theirs = KINDS[kind], DegradationProvider(place.handle), InMemoryProvider({})
    method = f"resolve_{kind}_details"
    expected = getattr(theirs, method)("Key", default)
    assert getattr(ours, method)("Key", default) == expected
    assert await getattr(ours, f"{method}_async")("Key", default) == expected
    details = getattr(client, f"get_{kind}_details")("Key", default)
    assert (details.value, details.reason, details.error_code) == (default, Reason.ERROR, ErrorCode.FLAG_NOT_FOUND)
    assert getattr(client, f"get_{kind}_value")("Key", default) == default


async def test_flags_are_resolved_alike_in_both_kinds_of_callers(client: OpenFeatureClient):
    assert client.get_boolean_value("search", False) is True
    assert await client.get_boolean_value_async("search", False) is True
    assert client.get_integer_value("rows", 0) == await client.get_integer_value_async("rows", 0) == 9
    assert isinstance(client.get_integer_value("rows", 0), int)
    assert isinstance(client.get_float_value("rows", 0.0), float)
    assert client.get_string_value(LEVEL_FLAG, "") == await client.get_string_value_async(LEVEL_FLAG, "") == "full"


def test_reasons_and_variants_say_why(client: OpenFeatureClient, place: Place):
    def told(flag: str, context: EvaluationContext | None = None) -> tuple[Any, ...]:
        details = client.get_boolean_details(flag, False, context)
        return details.value, details.reason, details.variant, details.flag_metadata["feature"]

    assert told("search") == (True, Reason.STATIC, "on", "search")
    assert told("beta", ACME) == (True, Reason.TARGETING_MATCH, "on", "beta")
    assert told("beta") == (False, Reason.SPLIT, "off", "beta")
    assert told("half", ACME)[1] == Reason.SPLIT
    place.handle.set_level("minimal", reason="a drill")
    assert told("search") == (False, Reason.DISABLED, "off", "search")
    assert told("chat", ACME) == (False, Reason.DISABLED, "off", "search")
    assert client.get_boolean_details("search", True).flag_metadata["level"] == "minimal"
    assert client.get_string_details(LEVEL_FLAG, "").variant == "minimal"


@pytest.mark.parametrize(
    ("method", "flag", "default"),
    [
        ("get_string_details", "search", "x"),
        ("get_integer_details", "search", 3),
        ("get_float_details", LEVEL_FLAG, 3.0),
        ("get_boolean_details", "rows", True),
        ("get_object_details", "search", {}),
    ],
)
def test_a_flag_of_another_type_is_a_mismatch(client: OpenFeatureClient, method: str, flag: str, default: Any):
    details = getattr(client, method)(flag, default)
    assert (details.value, details.reason, details.error_code) == (default, Reason.ERROR, ErrorCode.TYPE_MISMATCH)


def test_a_limit_that_is_no_whole_number_is_no_integer(client: OpenFeatureClient, place: Place):
    place.handle.set_level("reduced", reason="a drill")
    assert client.get_float_details("rows", 0.0).value == 2.5
    assert client.get_integer_details("rows", 4).error_code == ErrorCode.TYPE_MISMATCH


def test_hooks_run_around_it(client: OpenFeatureClient):
    seen: list[str] = []

    class Noting(Hook):
        def before(self, hook_context: Any, hints: Any) -> None:
            seen.append(f"before {hook_context.flag_key}")

        def after(self, hook_context: Any, details: Any, hints: Any) -> None:
            seen.append(f"after {details.value}")

        def error(self, hook_context: Any, exception: Exception, hints: Any) -> None:
            seen.append("error")

    client.add_hooks([Noting()])
    client.get_boolean_value("search", False)
    client.get_boolean_value("nobody", False)
    assert seen == ["before search", "after True", "before nobody", "error"]


class Heard:
    """Events of one kind, as a handler gets them."""

    def __init__(self, client: OpenFeatureClient, event: ProviderEvent) -> None:
        self.details: list[EventDetails] = []
        self._changed = threading.Condition()
        client.add_handler(event, self._on)

    def _on(self, details: EventDetails) -> None:
        with self._changed:
            self.details.append(details)
            self._changed.notify_all()

    def wait(self, count: int) -> list[EventDetails]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.details) >= count, DEADLINE_S), self.details
            return self.details


def test_it_is_ready_and_tells_what_changes(client: OpenFeatureClient, place: Place):
    Heard(client, ProviderEvent.PROVIDER_READY).wait(1)
    assert client.get_provider_status() == ProviderStatus.READY
    changed = Heard(client, ProviderEvent.PROVIDER_CONFIGURATION_CHANGED)
    place.handle.set_level("minimal", reason="a drill", who="ann")
    (first, *_) = changed.wait(1)
    assert first.provider_name == "ray-supervisor degradation"
    assert first.flags_changed == ["chat", "degradation.level", "rows", "search"]
    assert (first.message, first.metadata) == ("ann: a drill", {"level": "minimal", "cause": "override"})
    place.handle.feature("more")
    assert changed.wait(2)[1].flags_changed == ["more"]


def test_it_is_stale_while_its_owner_is_not_heard_and_flags_stay(client: OpenFeatureClient, place: Place):
    stale, ready = Heard(client, ProviderEvent.PROVIDER_STALE), Heard(client, ProviderEvent.PROVIDER_READY)
    ready.wait(1)
    place.running = False
    stale.wait(1)
    assert client.get_provider_status() == ProviderStatus.STALE
    assert client.get_boolean_value("search", False) is True
    place.running = True
    ready.wait(2)
    assert client.get_provider_status() == ProviderStatus.READY


def test_after_its_shutdown_it_tells_nothing(place: Place):
    provider = DegradationProvider(place.handle)
    api.set_provider_and_wait(provider, "ending")
    before = threading.active_count()
    provider.shutdown()
    assert threading.active_count() < before
    assert provider.resolve_boolean_details("search", False).value is True
    api.clear_providers()
