"""A database through a breaker: a real SQLite file, and one that cannot be opened."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from actors.breaker.errors import CircuitOpenError
from tests.unit.breaker.town import Town

sqlalchemy = pytest.importorskip("sqlalchemy")


def engine_at(path: Path | str, town: Town) -> Any:
    from actors.breaker.adapters.sqlalchemy import guard_engine  # noqa: PLC0415 - only where the library is

    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    guard_engine(engine, town.breaker)
    return engine


def test_statements_are_calls_and_wrong_ones_show_that_the_database_answers(tmp_path: Path):
    town = Town()
    engine = engine_at(tmp_path / "shop.db", town)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("create table carts (id integer primary key)"))
        connection.execute(sqlalchemy.text("insert into carts values (:id)"), [{"id": 1}, {"id": 2}])
        connection.exec_driver_sql("insert into carts values (3)")
    for _ in range(5):
        with pytest.raises(sqlalchemy.exc.IntegrityError), engine.begin() as connection:
            connection.execute(sqlalchemy.text("insert into carts values (1)"))
    assert (town.breaker.state, town.view.totals.failures) == ("closed", 0)
    assert town.view.totals.successes >= 8
    engine.dispose()


def test_a_database_that_cannot_be_reached_opens_it(tmp_path: Path):
    town = Town()
    engine = engine_at(tmp_path / "no" / "such" / "folder.db", town)
    for _ in range(2):
        with pytest.raises(sqlalchemy.exc.OperationalError):
            engine.connect()
    with pytest.raises(CircuitOpenError):
        engine.connect()
    assert [call.error for call in town.breaker.explain().calls] == [
        "OperationalError: unable to open database file"
    ] * 2


def test_an_open_breaker_refuses_statements_of_connections_that_are_there(tmp_path: Path):
    town = Town()
    engine = engine_at(tmp_path / "shop.db", town)
    with engine.connect() as connection:
        town.breaker.force_open(reason="test")
        with pytest.raises(CircuitOpenError):
            connection.execute(sqlalchemy.text("select 1"))
        town.breaker.reset(reason="test")
        assert connection.execute(sqlalchemy.text("select 1")).scalar() == 1
    engine.dispose()


def async_engine_at(path: Path | str, town: Town) -> Any:
    pytest.importorskip("aiosqlite")
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - only where the library is

    from actors.breaker.adapters.sqlalchemy import guard_engine  # noqa: PLC0415 - the same

    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
    guard_engine(engine, town.breaker)
    return engine


async def test_an_asynchronous_engine_is_judged_and_refused_alike(tmp_path: Path):
    town = Town()
    engine = async_engine_at(tmp_path / "no" / "such" / "folder.db", town)
    for _ in range(2):
        with pytest.raises(sqlalchemy.exc.OperationalError):
            await engine.connect()
    with pytest.raises(CircuitOpenError):
        await engine.connect()
    await engine.dispose()


async def test_a_probe_of_an_asynchronous_engine_awaits_the_owner_and_the_loop_goes_on(tmp_path: Path):
    town = Town(half_open_permits=1)
    engine = async_engine_at(tmp_path / "shop.db", town)
    async with engine.connect() as connection:
        town.breaker.reset(reason="what connecting has counted")
        town.half_opened()
        owner = town.slow_owner()
        probing = asyncio.ensure_future(connection.execute(sqlalchemy.text("select 1")))
        while not owner.waiting:
            await asyncio.sleep(0)
        assert not probing.done(), "this task runs while the other one waits"
        owner.answer()
        assert (await probing).scalar() == 1
        assert town.breaker.state == "closed"
    await engine.dispose()


async def test_a_statement_that_is_cancelled_while_it_waits_for_its_permit_gives_it_back(tmp_path: Path):
    town = Town(half_open_permits=1)
    engine = async_engine_at(tmp_path / "shop.db", town)
    async with engine.connect() as connection:
        town.breaker.reset(reason="what connecting has counted")
        town.half_opened()
        owner = town.slow_owner()
        probing = asyncio.ensure_future(connection.execute(sqlalchemy.text("select 1")))
        while not owner.waiting:
            await asyncio.sleep(0)
        probing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probing
        owner.answer()
        assert town.view.permits_out == 0
        town.breaker.reset(reason="test")
    await engine.dispose()
