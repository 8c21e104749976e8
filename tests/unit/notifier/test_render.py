"""A message in the words of each channel, and a signature that only the key makes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.notifier.render import (
    BODY_LIMIT,
    TITLE_LIMIT,
    alertmanager,
    is_signed,
    rfc3339,
    shared_key,
    sign,
    text,
    webhook,
)
from tests.unit.notifier.scene import NOON_S, alert, entry

FULL = alert(
    severity="high",
    title="db is\ndown",
    body="no answer",
    runbook="https://wiki/db",
    incident_id="1.7",
    began_s=NOON_S,
    repeated=3,
)
OVER = alert("web/hang", component="web", title="web hangs", began_s=NOON_S, ended_s=NOON_S + 90)


def test_text_for_people() -> None:
    title, body = text(entry(FULL, OVER))
    assert title == "[HIGH] db is down (and 1 more)"
    assert body == (
        "[HIGH] db: db is down\nno answer\nsince 2023-11-15T12:00:00.000Z\nraised 3 times more meanwhile\n"
        "incident 1.7\nrunbook: https://wiki/db\n\n"
        "[RESOLVED] web: web hangs\nsince 2023-11-15T12:00:00.000Z, until 2023-11-15T12:01:30.000Z"
    )


def test_floods_of_words_are_cut() -> None:
    title, body = text(entry(alert(title="x" * 10_000, body="y" * 100_000)))
    assert (len(title), len(body)) == (TITLE_LIMIT, BODY_LIMIT)


def test_alertmanagers_alerts_keep_their_labels_to_the_end() -> None:
    began, over = alertmanager(entry(FULL, OVER), supervisor="default")
    assert began["labels"] == {
        "alertname": "SupervisorAlert",
        "supervisor": "default",
        "component": "db",
        "key": "db/crash",
    }
    assert began["annotations"]["summary"] == "db is down"
    assert began["startsAt"] == "2023-11-15T12:00:00.000Z"
    assert began["endsAt"] == "2023-11-16T12:00:00.000Z", "else it would be over by itself after five minutes"
    assert over["endsAt"] == "2023-11-15T12:01:30.000Z"
    (worse,) = alertmanager(entry(alert(severity="critical")), supervisor="default")
    assert worse["labels"] == began["labels"], "another severity is the same alert"


def test_a_webhooks_body_is_json_with_the_number_of_the_message() -> None:
    body = json.loads(webhook(entry(FULL, OVER), supervisor="default"))
    assert (body["id"], body["supervisor"]) == ("1.1", "default")
    assert [(each["status"], each["ended_at"]) for each in body["alerts"]] == [
        ("firing", None),
        ("resolved", "2023-11-15T12:01:30.000Z"),
    ]
    assert webhook(entry(FULL), supervisor="x") == webhook(entry(FULL), supervisor="x")


def test_a_signature_holds_for_its_body_key_and_time() -> None:
    signature = sign(b"body", key=b"key", wall_s=NOON_S)
    assert signature.startswith("t=1700049600,v1=")
    assert is_signed(b"body", signature, key=b"key", wall_s=NOON_S + 299)
    assert not is_signed(b"body", signature, key=b"key", wall_s=NOON_S + 301)
    assert not is_signed(b"body", signature, key=b"other", wall_s=NOON_S)
    assert not is_signed(b"bodY", signature, key=b"key", wall_s=NOON_S)
    moved = signature.replace("t=1700049600", "t=1700049601")
    assert not is_signed(b"body", moved, key=b"key", wall_s=NOON_S)


@pytest.mark.parametrize("signature", ["", "t=", "v1=x", "t=1700049600", "t=x,v1=y", "t=²,v1=y", "t=-5,v1=", "t=1,,="])
def test_what_is_no_signature_is_none(signature: str) -> None:
    assert not is_signed(b"body", signature, key=b"key", wall_s=NOON_S)


@given(st.integers(-(10**9), 4 * 10**9), st.integers(0, 999))
def test_moments_are_those_of_the_calendar(seconds: int, millis: int) -> None:
    told = rfc3339(seconds + millis / 1000)
    assert told == datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{millis:03}Z"


def test_a_key_that_is_shared_with_a_service_is_short_enough_for_it() -> None:
    assert shared_key("shop", alert("1.1/escalated")) == "shop/1.1/escalated"
    long = [shared_key("shop", alert("k" * 300 + end)) for end in "ab"]
    assert {len(each) for each in long} == {64}
    assert long[0] != long[1]
