"""The health monitor as an actor: what is registered is watched, told and written, and nothing makes it stumble."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supervisor import ConfigError, Supervisor, probes
from tests.ray_local.sickroom import FAST, QUICK_HEALTH, Ward

Eventually = Callable[..., None]


@pytest.fixture(scope="module")
def sup(ray_session: object, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.ray_local.conftest import configuration, unique_name

    log = tmp_path_factory.mktemp("log") / "events.duckdb"
    made = Supervisor.start(configuration(log, {"health": QUICK_HEALTH}), name=unique_name())
    yield made
    made.shutdown()


@pytest.fixture
def ward(sup: Supervisor, tmp_path: Path) -> Any:
    yield Ward(sup, tmp_path)
    for name in sup.health.report().components:
        sup.health.unregister(name)


def test_what_is_registered_is_watched_and_told(ward: Ward, eventually: Eventually) -> None:
    health = ward.sup.health
    db = ward.patient("db", critical=True, weight=2.0)
    ward.patient("web", depends_on="db")
    eventually(lambda: ward.state("db") == ward.state("web") == "healthy", "both are well")
    with health.subscribe() as changes:
        db.be("bad")
        change = changes.next(20.0)
        assert change is not None
        assert (change.component, change.before, change.after, change.detail) == ("db", "healthy", "unhealthy", "bad")
    report = health.report()
    assert report.components["web"].caused_by == ("db",)
    assert report.score == 0.0
    assert health.component("db").last.outcome == "failed"
    assert ward.sup.status().health.score is not None
    db.be("ok")
    eventually(lambda: ward.state("db") == "healthy", "it is well again")
    assert {check.outcome for check in health.history("db", since_s=60.0)} == {"passed", "failed"}
