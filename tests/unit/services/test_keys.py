"""Services are told by their keys."""

from __future__ import annotations

from supervisor.services.keys import CONCERNS, DEGRADATION, HEALTH, NOTIFIER, is_service
from supervisor.services.kinds import KINDS


def test_a_service_is_told_by_its_concern():
    assert all(map(is_service, (DEGRADATION, HEALTH, NOTIFIER, "breaker/bank", "healer/2")))
    assert not any(map(is_service, ("event_log/writer", "worker/default-0", "child/health")))


def test_whatever_has_an_actor_is_a_service():
    assert {key.partition("/")[0] for key in KINDS} <= set(CONCERNS)
