"""To look begins no healing; and whoever joins an incident that a fallback answers is answered by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from click.testing import CliRunner

from supervisor import Fallback, Supervisor
from supervisor.cli import healing


def refused(number: int) -> str:
    raise ConnectionError(number)


def noted(number: int) -> str:
    return f"{number} is noted"


def test_to_look_at_incidents_begins_no_healing_and_all_who_fail_at_once_are_healed(
    sup: Supervisor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(healing, "attached", lambda name, address: nullcontext(sup))
    told = CliRunner().invoke(healing.heal, ["ls"], catch_exceptions=False).output
    assert told.startswith("no incidents: no healer runs now. It begins with its first use")
    assert not sup.healer.client.is_running()
    sup.healer.start()
    assert CliRunner().invoke(healing.heal, ["ls"], catch_exceptions=False).output == "no incidents\n"

    sup.healer.plan("svc", [Fallback(noted)])
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: sup.heal("svc", refused, args=(number,)), range(8)))
    assert found == [noted(number) for number in range(8)]
    assert {each.phase for each in sup.healer.incidents()} == {"resolved"}
