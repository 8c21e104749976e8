from __future__ import annotations

from actors.healer.incident import Incident
from actors.healer.phases import CHANGES_MAX, LatestPhases, news

INCIDENT = Incident(incident_id="1", component="db", failure="crash", severity="high")


def test_a_subscriber_gets_what_is_new_over_lives():
    first, second = LatestPhases(1), LatestPhases(2)
    first.add(INCIDENT, None, 5)
    first.add(INCIDENT, "detected", 6)
    second.add(INCIDENT, "detected", 7)
    assert [change.at_us for change in news(first.all(), (1, 1))] == [6]
    assert [change.at_us for change in news(second.all(), (1, 2))] == [7]
    assert news(first.all(), (2, 1)) == []


def test_they_are_bounded():
    latest = LatestPhases(1)
    for number in range(CHANGES_MAX + 5):
        latest.add(INCIDENT, None, number)
    assert (len(latest.all()), latest.all()[-1][1]) == (CHANGES_MAX, CHANGES_MAX + 5)
