"""Telling people on a real Ray: what was acknowledged arrives, whoever is killed meanwhile, at real receivers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from click.testing import CliRunner

from actors.notifier import rows
from actors.runtime.clock import SYSTEM_CLOCK
from supervisor import ConfigError, Supervisor
from supervisor.cli import notifying
from supervisor.services.keys import NOTIFIER
from tests.ray_local.conftest import StartSupervisor
from tests.unit.notifier.scene import alert, entry
from tests.unit.notifier.sinks import Mailbox, Sink, http_sink, mail_server

DAY_US = 86_400_000_000


@pytest.fixture
def sink() -> Iterator[Sink]:
    with http_sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def inbox() -> Iterator[Sink]:
    """Where the shared supervisor's channel `hook` goes."""
    with http_sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def sup(inbox: Sink, mailbox: Mailbox, start_for_module: StartSupervisor) -> Supervisor:
    others = ({"name": "mail", "url": mailbox.url}, {"name": "wrong", "url": "carrierpigeon://T0KEN@coop"})
    return start_for_module(**settings(inbox, *others))


def settings(sink: Sink, *channels: dict[str, Any], **fields: Any) -> dict[str, Any]:
    hook = {"name": "hook", "kind": "webhook", "url": f"{sink.url}/in", "timeout_s": 5.0}
    return {
        "notifier": {
            "channels": [hook, *channels],
            "routes": [{"channels": ["hook"], "severity": "medium"}],
            "group_s": 0.3,
            "retry_min_s": 0.1,
            "retry_max_s": 0.3,
            "attempts": 1000,
        }
        | fields
    }


def told(sink: Sink, *keys: str) -> list[tuple[str, str]]:
    """Keys and states, as they arrived; of these keys, or all."""
    alerts = [alert for posted in sink.posted for alert in json.loads(posted.body)["alerts"]]
    return [(each["key"], each["status"]) for each in alerts if not keys or each["key"] in keys]


def is_over(sup: Supervisor, sink: Sink, key: str) -> bool:
    """Whether it is on record that a message was taken: a life that does not know it sends it once more."""
    sent = {posted.headers["X-Supervisor-Message"] for posted in sink.posted if key.encode() in posted.body}
    over = sup.events.query("SELECT message_id FROM recorded_messages WHERE state = 'over'")
    return sent <= {row["message_id"] for row in over}


def pid_of(sup: Supervisor) -> int:
    where = next(child for child in sup.status().tree if child.key == NOTIFIER).location
    assert where is not None
    return where.process.pid


def test_people_are_told_once_and_told_when_it_is_over(sup: Supervisor, inbox: Sink, mailbox: Mailbox, eventually):
    assert sup.notifier.alert("db is down", component="db", severity="high", key="db") == ("hook",)
    sup.notifier.alert("db is down", component="db", severity="high", key="db")
    assert sup.notifier.alert("nobody minds", component="x", severity="low") == ()
    assert asyncio.run(sup.notifier.aalert("to one", component="x", severity="low", channels=("mail",))) == ("mail",)
    eventually(lambda: told(inbox, "db") == [("db", "firing")], "it is told")
    sup.notifier.resolve("db", "up again")
    eventually(lambda: told(inbox, "db") == [("db", "firing"), ("db", "resolved")], "its end is told")
    eventually(lambda: [mail["Subject"] for mail in mailbox.mails] == ["[LOW] to one"], "the mail arrives")
    with pytest.raises(ConfigError, match="there is no channel 'fax'; there are: hook, mail, wrong"):
        sup.notifier.alert("x", component="x", channels=("fax",))
    all_of = "SELECT channel, result FROM notifications WHERE component IN ('db', 'x') AND message_id <> '0.1'"
    eventually(lambda: len(sup.events.query(all_of)) == 4, "all is on record")
    results = sorted((row["channel"], row["result"]) for row in sup.events.query(all_of))
    assert results == [("", "dropped"), ("hook", "sent"), ("hook", "sent"), ("mail", "sent")]


def test_what_was_acknowledged_is_told_though_the_notifier_is_killed_at_once(sup: Supervisor, inbox: Sink, eventually):
    sup.notifier.waiting()
    for number in range(3):
        sup.notifier.alert("down", component="cart", key=f"k{number}")
        os.kill(pid_of(sup), signal.SIGKILL)
        eventually(lambda number=number: (f"k{number}", "firing") in told(inbox), "it is told by the next life")


def test_what_waited_for_too_long_is_dropped_and_the_drop_is_an_event_with_its_reason(
    sup: Supervisor, inbox: Sink, eventually
):
    """As when a cluster was down for two days, and its log is opened again."""
    sup.notifier.waiting()
    old = rows.waiting_row(entry(alert("stale"), entry_id="0.1", channel="hook"), SYSTEM_CLOCK.wall_us() - 2 * DAY_US)
    assert sup.events.record(*old), "what an earlier life has left"
    assert sup.events.query("SELECT count(*) AS n FROM recorded_messages WHERE message_id = '0.1'") == [{"n": 1}]
    os.kill(pid_of(sup), signal.SIGKILL)
    told_of = "SELECT result, detail FROM notifications WHERE message_id = '0.1'"
    eventually(lambda: sup.events.query(told_of) != [], "it is on record")
    (row,) = sup.events.query(told_of)
    assert row["result"] == "dropped"
    assert row["detail"].endswith("what is older than 86400 s is news no more")
    events = sup.events.tail(kinds=["notifications"], after=0, follow=False)
    assert next(each for each in events if each["message_id"] == "0.1")["detail"] == row["detail"]
    assert told(inbox, "stale") == []


@pytest.mark.soak
def test_the_next_life_tells_nobody_twice_and_of_the_end(sup: Supervisor, inbox: Sink, eventually):
    sup.notifier.alert("down", component="shop", key="kept")
    eventually(lambda: told(inbox, "kept") == [("kept", "firing")] and is_over(sup, inbox, "kept"), "told, on record")
    os.kill(pid_of(sup), signal.SIGKILL)
    sup.notifier.alert("down", component="shop", key="kept")
    sup.notifier.resolve("kept")
    eventually(lambda: ("kept", "resolved") in told(inbox), "its end is told")
    assert told(inbox, "kept") == [("kept", "firing"), ("kept", "resolved")]


@pytest.mark.soak
def test_messages_wait_for_their_receiver_through_kills(start: StartSupervisor, sink: Sink, eventually):
    sink.status = 503
    sup = start(**settings(sink))
    sup.notifier.alert("down", component="db", key="k")
    eventually(lambda: len(sink.posted) > 1, "it is tried")
    before = {posted.headers["X-Supervisor-Message"] for posted in sink.posted}
    os.kill(pid_of(sup), signal.SIGKILL)
    sink.status = 200
    results = "SELECT result FROM notifications"
    eventually(lambda: sup.events.query(results) == [{"result": "sent"}], "it is taken at last")
    assert {posted.headers["X-Supervisor-Message"] for posted in sink.posted} == before
    assert sup.notifier.waiting() == {"hook": 0}


def test_channels_are_tried_from_the_shell_and_no_secret_is_shown(
    sup: Supervisor, inbox: Sink, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(notifying, "attached", lambda name, address: nullcontext(sup))
    done = CliRunner().invoke(notifying.test, ["--name", sup.name])
    assert done.exit_code == 1
    assert "hook             ok" in done.output
    assert "wrong            failed" in done.output
    assert "carrierpigeon://" in done.output
    assert "T0KEN" not in done.output
    assert CliRunner().invoke(notifying.test, ["hook", "--json"]).exit_code == 0
    assert "T0KEN" not in str(sup.status())
    assert any(key.startswith("test/") for key, _ in told(inbox))
