"""A message in the words of its channel: text for apprise, Alertmanager's v2 alerts, a signed webhook body. Pure."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.notifier.messages import Alert, OutboxEntry

SIGNATURE_HEADER = "X-Supervisor-Signature"
ID_HEADER = "X-Supervisor-Message"

TITLE_LIMIT = 200
BODY_LIMIT = 20_000
KEY_LIMIT = 255
"""Characters of a key that PagerDuty takes."""

LASTS_S = 86_400.0
"""What lasts longer without being raised again is over for an Alertmanager, seconds."""

_DAY_S = 86_400
_TOLERANCE_S = 300.0
_MARKS = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH", "critical": "CRITICAL"}


def text(entry: OutboxEntry) -> tuple[str, str]:
    """Title and body for people."""
    first = entry.alerts[0]
    more = f" (and {len(entry.alerts) - 1} more)" if len(entry.alerts) > 1 else ""
    title = f"[{_mark(first)}] {_line(first.title)}"[: TITLE_LIMIT - len(more)] + more
    body = "\n\n".join(_paragraph(alert) for alert in entry.alerts)
    return title, body if len(body) <= BODY_LIMIT else body[: BODY_LIMIT - 3] + "..."


def shared_key(supervisor: str, alert: Alert) -> str:
    """What a service that keeps alerts apart knows one by, from its first message to its end."""
    key = f"{supervisor}/{alert.key}"
    return key if len(key) <= KEY_LIMIT else sha256(key.encode()).hexdigest()


def alertmanager(entry: OutboxEntry, *, supervisor: str) -> list[dict[str, Any]]:
    """The body of a POST to `/api/v2/alerts`; an alert that is over has its end, and the same labels.

    Of one without an end an Alertmanager says by itself after `resolve_timeout` (5 minutes) that it is over, for it
    expects to hear of it again and again. So what lasts has an end that is far away.

    Source: prometheus.io, "Sending alerts".
    """
    return [
        {
            "labels": {
                "alertname": "SupervisorAlert",
                "supervisor": supervisor,
                "component": alert.component,
                "key": alert.key,
            },
            "annotations": {
                "severity": alert.severity,
                "summary": _line(alert.title),
                "description": alert.body[:BODY_LIMIT],
                "incident": alert.incident_id,
                "runbook_url": alert.runbook,
            },
            "startsAt": rfc3339(alert.began_s),
            "endsAt": rfc3339(alert.began_s + LASTS_S if alert.ended_s is None else alert.ended_s),
        }
        for alert in entry.alerts
    ]


def webhook(entry: OutboxEntry, *, supervisor: str) -> bytes:
    """The body of a POST to a plain webhook: JSON, its keys sorted, so that equal messages are equal octets."""
    alerts = [
        {
            "key": alert.key,
            "status": "firing" if alert.ended_s is None else "resolved",
            "component": alert.component,
            "severity": alert.severity,
            "title": alert.title,
            "body": alert.body,
            "runbook": alert.runbook,
            "incident_id": alert.incident_id,
            "began_at": rfc3339(alert.began_s),
            "ended_at": None if alert.ended_s is None else rfc3339(alert.ended_s),
            "repeated": alert.repeated,
        }
        for alert in entry.alerts
    ]
    payload: Mapping[str, Any] = {"id": entry.entry_id, "supervisor": supervisor, "alerts": alerts}
    return json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()


def sign(body: bytes, *, key: bytes, wall_s: float) -> str:
    """The value of the signature header: the moment, and HMAC-SHA256 of moment and body."""
    moment = str(int(wall_s))
    return f"t={moment},v1={_digest(body, key, moment)}"


def is_signed(body: bytes, signature: str, *, key: bytes, wall_s: float, tolerance_s: float = _TOLERANCE_S) -> bool:
    """Whether a body bears this signature by this key, made within the tolerance; for receivers."""
    fields = {name: value for name, _, value in (part.partition("=") for part in signature.split(","))}
    moment = fields.get("t", "")
    if not (moment.isascii() and moment.isdigit()) or abs(wall_s - int(moment)) > tolerance_s:
        return False
    return hmac.compare_digest(fields.get("v1", "").encode(), _digest(body, key, moment).encode())


def rfc3339(wall_s: float) -> str:
    """A moment as UTC text, to the millisecond.

    Source: Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    """
    millis = round(wall_s * 1000)
    days, rest = divmod(millis, _DAY_S * 1000)
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153  # months from March
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = (shifted + 2) % 12 + 1
    year = year_of_era + era * 400 + (shifted + 2) // 12
    seconds, milli = divmod(rest, 1000)
    hours, minutes = divmod(seconds // 60, 60)
    return f"{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds % 60:02}.{milli:03}Z"


def _digest(body: bytes, key: bytes, moment: str) -> str:
    return hmac.new(key, moment.encode() + b"." + body, sha256).hexdigest()


def _mark(alert: Alert) -> str:
    return _MARKS[alert.severity] if alert.ended_s is None else "RESOLVED"


def _line(words: str) -> str:
    return " ".join(words.split())[:TITLE_LIMIT]


def _paragraph(alert: Alert) -> str:
    lines = [f"[{_mark(alert)}] {alert.component}: {_line(alert.title)}", alert.body]
    lines.append(f"since {rfc3339(alert.began_s)}" + (f", until {rfc3339(alert.ended_s)}" if alert.ended_s else ""))
    lines.append(f"raised {alert.repeated} times more meanwhile" if alert.repeated else "")
    lines.append(f"incident {alert.incident_id}" if alert.incident_id else "")
    lines.append(f"runbook: {alert.runbook}" if alert.runbook else "")
    return "\n".join(line for line in lines if line)
