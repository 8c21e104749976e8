"""Users' functions travel through a process that cannot load them."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Any

import pytest

from actors.healer.incident import Incident
from actors.healer.packing import (
    Carried,
    loaded,
    pack_incident,
    pack_plan,
    packed,
    unpack_incident,
    unpack_plan,
)
from actors.healer.rows import RESULT_BYTES_MAX
from actors.healer.settings import PlanRule
from actors.recovery.retry import Fallback, Provider, Retry
from actors.recovery.strategies import Escalate, Restore, UserStrategy
from actors.runtime.errors import ConfigError


class OurError(Exception):
    pass


def answer(name: str) -> str:
    return f"answer {name}"


STRATEGIES: tuple[Any, ...] = (
    Retry(on=(OurError, ValueError)),
    Fallback(answer, others=(Provider(partial(answer, "b"), name="b"), answer)),
    Restore(load=answer, apply=answer),
    UserStrategy(name="reindex", options={"fn": answer, "size": 3}),
    Escalate(channels=("ops",)),
)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda each: type(each).__name__)
def test_what_travels_holds_names_and_octets_and_comes_back(strategy):
    travelling = packed(strategy)
    again = loaded(pickle.loads(pickle.dumps(travelling)))
    assert type(again) is type(strategy)
    assert packed(again) == travelling


def test_builtin_errors_and_bounds_can_be_read_on_the_way():
    retry: Any = packed(STRATEGIES[0])
    fallback: Any = packed(STRATEGIES[1])
    on = retry.on
    assert isinstance(on[0], Carried)
    assert (on[0].name, on[1]) == ("OurError", ValueError)
    providers = fallback.providers
    assert [each.title for each in providers] == ["answer", "b", "answer"]
    assert providers[1].fn() == "answer b"


def test_what_does_not_pickle_is_refused_by_name():
    with pytest.raises(ConfigError, match="restore: a function or value of it does not pickle"):
        packed(Restore(load=partial(str, (each for each in "ab")), apply=answer))


def test_a_plan_travels_and_one_that_is_too_large_is_refused():
    rule = PlanRule(component="db", strategies=STRATEGIES)
    assert [type(each) for each in unpack_plan(pack_plan(rule)).strategies] == [type(each) for each in STRATEGIES]
    heavy = PlanRule(component="db", strategies=(UserStrategy(name="x", options={"blob": "x" * (2 << 20)}),))
    with pytest.raises(ConfigError, match="plan for db: it takes"):
        pack_plan(heavy)


def test_an_incident_keeps_its_result_unless_that_is_too_large():
    incident = Incident(incident_id="1", component="db", failure="x", severity="low", result=b"r")
    assert unpack_incident(pack_incident(incident)) == incident
    large = Incident(incident_id="1", component="db", failure="x", severity="low", result=b"r" * (RESULT_BYTES_MAX + 1))
    assert unpack_incident(pack_incident(large)).result is None
