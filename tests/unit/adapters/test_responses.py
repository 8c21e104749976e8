"""A status says whether the server could answer."""

from __future__ import annotations

import pytest

from actors.breaker.adapters.responses import breaker_of, end_by_status, failed_status
from tests.unit.breaker.town import Town


@pytest.mark.parametrize(
    ("status", "failed"),
    [(200, False), (302, False), (404, False), (429, True), (500, True), (501, False), (503, True), (599, True)],
)
def test_a_status_is_a_failure_when_the_server_could_not_answer(status: int, failed: bool):
    assert failed_status(status) is failed


def test_a_breaker_is_one_for_all_or_one_for_each_host():
    town = Town()
    assert breaker_of(town.breaker, "a:1") is town.breaker
    assert breaker_of(town.handle, "a:1").name == "a:1"


def test_a_failed_status_is_explained():
    town = Town(minimum_calls=1)
    with town.breaker as permit:
        end_by_status(permit, 503, failed_status)
    assert [call.error for call in town.breaker.explain().calls] == ["HTTP 503"]
