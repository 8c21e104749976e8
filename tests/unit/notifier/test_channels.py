"""Messages handed over to real receivers: a mail server, an HTTP server; nothing is played."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest
from apprise.plugins import pagerduty

from actors.notifier import render
from actors.notifier.channels import Channels
from actors.notifier.delivery import Delivery
from actors.notifier.messages import Alert
from actors.notifier.settings import ChannelSettings
from actors.runtime.clock import SYSTEM_CLOCK
from tests.unit.notifier.scene import NOON_S, alert, channel, entry
from tests.unit.notifier.sinks import Mailbox, Sink, http_sink, mail_server


@pytest.fixture
def sink() -> Generator[Sink]:
    with http_sink() as sink:
        yield sink


@pytest.fixture
def mailbox() -> Generator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


def deliver(settings: ChannelSettings, environ: dict[str, str] | None = None, **fields: Any) -> Delivery:
    message = entry(alert(began_s=NOON_S, body="no answer from db", **fields))
    return Channels("shop", environ or {}).deliver(settings, message)


# -- apprise


def test_a_mail_arrives(mailbox: Mailbox):
    answer = deliver(channel(url=mailbox.url), severity="high", runbook="https://wiki/db")
    assert answer.ok, answer
    (mail,) = mailbox.mails
    assert mail["Subject"] == "[HIGH] db is down"
    assert mail["To"] is not None
    assert "ops@example.org" in mail["To"]
    assert "https://wiki/db" in mail.as_string()


def test_a_mail_server_that_is_not_there_is_told_and_tried_again(mailbox: Mailbox):
    url = mailbox.url.replace("sup.test", "me:S3CRET@sup.test").replace(str(mailbox.port), "1")
    answer = deliver(channel(url=url))
    assert not answer.ok
    assert not answer.permanent
    assert "S3CRET" not in answer.detail


def test_an_address_that_apprise_does_not_know_is_named_with_its_secret_masked():
    answer = deliver(channel(url="carrierpigeon://T0KEN@coop"))
    assert (answer.ok, answer.permanent) == (False, True)
    assert "carrierpigeon://" in answer.detail
    assert "T0KEN" not in answer.detail


def test_apprise_speaks_json_to_an_http_server(sink: Sink):
    assert deliver(channel(url=f"json://127.0.0.1:{sink.server_port}/in")).ok
    assert json.loads(sink.posted[0].body)["title"] == "[MEDIUM] db is down"


PAGER = "pagerduty://INTEGRATIONKEY@APIKEY"


def paged(sink: Sink, monkeypatch: pytest.MonkeyPatch, *alerts: Alert, url: str = PAGER) -> list[dict[str, Any]]:
    """What PagerDuty gets; the server here stands where its address does."""
    monkeypatch.setitem(pagerduty.PAGERDUTY_API_LOOKUP, "us", f"{sink.url}/v2/enqueue")
    answer = Channels("shop", {}).deliver(channel(url=url), entry(*alerts))
    assert answer.ok, answer
    return [json.loads(posted.body) for posted in sink.posted]


def test_pagerduty_has_one_incident_for_all_times_of_an_alert_and_is_told_of_its_end(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
):
    lasting = alert("1.1/escalated", began_s=NOON_S, severity="critical")
    paged(sink, monkeypatch, lasting, alert("other", began_s=NOON_S))
    paged(sink, monkeypatch, replace(lasting, nth=1))
    told = paged(sink, monkeypatch, replace(lasting, ended_s=NOON_S + 9.0))
    assert [(each["event_action"], each["dedup_key"]) for each in told] == [
        ("trigger", "shop/1.1/escalated"),
        ("trigger", "shop/other"),
        ("trigger", "shop/1.1/escalated"),
        ("resolve", "shop/1.1/escalated"),
    ]


def test_what_an_address_of_pagerduty_says_itself_goes_before(sink: Sink, monkeypatch: pytest.MonkeyPatch):
    over = alert("k", began_s=NOON_S, ended_s=NOON_S + 9.0)
    told = paged(sink, monkeypatch, over, url=f"{PAGER}?action=trigger")
    assert [each["event_action"] for each in told] == ["trigger"]
    told = paged(sink, monkeypatch, over, over, url=f"{PAGER}?action=map&dedup=mine")
    assert [(each["event_action"], each.get("dedup_key")) for each in told[1:]] == [("resolve", "mine")]


# -- Alertmanager


def test_alertmanager_gets_its_second_version(sink: Sink):
    answer = deliver(channel(kind="alertmanager", url=f"{sink.url}/"), severity="critical")
    (posted,) = sink.posted
    (told,) = json.loads(posted.body)
    assert answer.ok
    assert posted.path == "/api/v2/alerts"
    assert posted.headers["Content-Type"] == "application/json"
    assert told["labels"] == {
        "alertname": "SupervisorAlert",
        "supervisor": "shop",
        "component": "db",
        "key": "db/crash",
    }
    assert told["annotations"]["severity"] == "critical"
    assert told["startsAt"] == "2023-11-15T12:00:00.000Z"
    assert told["endsAt"] == "2023-11-16T12:00:00.000Z", "it lasts until it is told to be over"


def test_a_prefix_and_a_user_of_an_alertmanager_are_kept(sink: Sink):
    url = f"{sink.url}/prometheus".replace("http://", "http://me:p%40ss@")
    assert deliver(channel(kind="alertmanager", url=url)).ok
    assert sink.posted[0].path == "/prometheus/api/v2/alerts"
    assert sink.posted[0].headers["Authorization"] == "Basic bWU6cEBzcw=="


# -- webhook


def test_a_webhook_is_signed_with_the_key_of_the_environment(sink: Sink):
    settings = channel(kind="webhook", url=sink.url + "/${HOOK}", secret_env="HOOK_KEY")
    answer = deliver(settings, {"HOOK": "T0KEN", "HOOK_KEY": "k3y"})
    (posted,) = sink.posted
    now_s = SYSTEM_CLOCK.wall_us() / 1e6
    signature = posted.headers[render.SIGNATURE_HEADER]
    assert answer.ok
    assert posted.path == "/T0KEN"
    assert posted.headers[render.ID_HEADER] == "1.1"
    assert json.loads(posted.body)["alerts"][0]["key"] == "db/crash"
    assert render.is_signed(posted.body, signature, key=b"k3y", wall_s=now_s)
    assert not render.is_signed(posted.body + b" ", signature, key=b"k3y", wall_s=now_s)
    assert not render.is_signed(posted.body, signature, key=b"other", wall_s=now_s)


def test_a_webhook_without_a_key_is_not_signed(sink: Sink):
    assert deliver(channel(kind="webhook", url=sink.url)).ok
    assert render.SIGNATURE_HEADER not in sink.posted[0].headers


def test_a_variable_that_is_missing_is_named_and_nothing_is_sent(sink: Sink):
    answer = deliver(channel(kind="webhook", url=sink.url + "/${HOOK}", secret_env="HOOK_KEY"))
    assert (answer.ok, answer.permanent) == (False, True)
    assert "HOOK, HOOK_KEY" in answer.detail
    assert sink.posted == []


def test_an_address_from_the_environment_that_is_none_is_not_shown(sink: Sink):
    answer = deliver(channel(kind="webhook", url="${HOOK}"), {"HOOK": "ftp://T0KEN"})
    assert (answer.ok, answer.permanent) == (False, True)
    assert "${HOOK}" in answer.detail
    assert "T0KEN" not in answer.detail


# -- what receivers answer


def test_a_refusal_is_for_good(sink: Sink):
    sink.status = 403
    answer = deliver(channel(kind="webhook", url=f"{sink.url}/T0KEN"))
    assert (answer.ok, answer.permanent) == (False, True)
    assert "403" in answer.detail


@pytest.mark.parametrize(("header", "least", "most"), [("7", 7.0, 7.0), ("soon", 0.0, 0.0)])
def test_a_busy_receiver_says_when_to_come_again(sink: Sink, header: str, least: float, most: float):
    sink.status, sink.answer_headers = 503, {"Retry-After": header}
    answer = deliver(channel(kind="webhook", url=sink.url))
    assert (answer.ok, answer.permanent) == (False, False)
    assert least <= answer.retry_after_s <= most


def test_a_date_says_when_too(sink: Sink):
    sink.status, sink.answer_headers = 429, {"Retry-After": "Wed, 01 Jan 2999 00:00:00 GMT"}
    assert deliver(channel(kind="webhook", url=sink.url)).retry_after_s > 0


def test_nothing_is_taken_to_where_a_redirect_leads(sink: Sink):
    sink.status, sink.answer_headers = 307, {"Location": f"{sink.url}/elsewhere"}
    assert deliver(channel(kind="webhook", url=sink.url)).permanent
    assert len(sink.posted) == 1


def test_nobody_there_is_told_without_the_path(sink: Sink):
    answer = deliver(channel(kind="webhook", url="http://127.0.0.1:1/T0KEN"))
    assert (answer.ok, answer.permanent) == (False, False)
    assert "127.0.0.1:1" in answer.detail
    assert "T0KEN" not in answer.detail


def test_a_receiver_that_never_comes_to_an_end_has_its_timeout_and_one_thread(sink: Sink):
    sink.gate.clear()
    channels = Channels("shop", {})
    settings = channel(kind="webhook", url=sink.url, timeout_s=0.5)
    assert channels.deliver(settings, entry()).detail == "no answer within 0.5 s"
    assert channels.deliver(settings, entry()).detail == "an earlier message still hangs in its receiver"
    assert len(sink.posted) == 1
