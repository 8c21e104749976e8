from __future__ import annotations

import pytest

from actors.event_log.store import EventStore
from actors.event_log.tail import TailPage, read_page
from actors.runtime.errors import QueryRefusedError


@pytest.fixture
def page(store: EventStore, batch_of, task_row):
    restart = ("worker/w0", 1, 2, "killed", None, "pool", 5.0, 1_700_000_000_000_000, 1)
    store.append([batch_of(1, task_row("a")), batch_of(2, restart, table="restarts"), batch_of(3, task_row("b"))])

    def read(after: int, *, kinds=None, limit: int = 100) -> TailPage:
        return read_page(store.reader(), after=after, up_to=store.last_id, kinds=kinds, limit=limit)

    return read


def kinds_of(page: TailPage) -> list[tuple[int, str]]:
    return [(event["ingest_id"], event["kind"]) for event in page.events]


def test_all_kinds_come_in_the_order_of_their_commits(page):
    found = page(0)
    assert (kinds_of(found), found.cursor) == ([(1, "tasks"), (2, "restarts"), (3, "tasks")], 3)
    assert found.events[1]["exit_class"] == "killed"


def test_pages_join_without_gap_or_overlap(page):
    first = page(0, limit=2)
    second = page(first.cursor, limit=2)
    assert kinds_of(first) + kinds_of(second) == kinds_of(page(0))
    assert page(second.cursor) == TailPage(3, [])


def test_the_cursor_moves_past_kinds_that_are_not_followed(page):
    assert (kinds_of(page(0, kinds=["restarts"])), page(2, kinds=["restarts"])) == ([(2, "restarts")], TailPage(3, []))


def test_a_cursor_ahead_of_the_log_stays_where_it_is(page):
    assert page(99) == TailPage(99, [])


def test_an_unknown_kind_is_named(page):
    with pytest.raises(QueryRefusedError, match="no kind nothing"):
        page(0, kinds=["nothing"])
