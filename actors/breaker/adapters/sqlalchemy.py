"""A breaker in front of a database: `guard_engine(engine, breaker)`.

Each statement is a call, and so is each new connection. A driver's error that says the database cannot serve (an
OperationalError, InterfaceError or InternalError, or a lost connection) is judged by the breaker's settings. One that
says the statement was wrong (a broken constraint, bad data, a syntax error) shows a database that answers: a success.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event
from sqlalchemy.util import await_only

from actors.breaker.adapters.passing import pass_dependency, pass_dependency_soon
from actors.runtime.fault_points import ON

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncEngine

    from actors.breaker.handle import BreakerHandle
    from actors.breaker.permit import Permit

ANSWERS = ("IntegrityError", "DataError", "ProgrammingError", "NotSupportedError")
"""The classes of PEP 249 by which a database that works refuses a statement."""


def guard_engine(engine: Engine | AsyncEngine, breaker: BreakerHandle) -> None:
    """Let every statement and every new connection of an engine through a breaker, from now on.

    Those refused raise CircuitOpenError and do not reach the database. An AsyncEngine's never block its event loop.
    """
    target: Engine = engine if isinstance(engine, Engine) else engine.sync_engine
    guard = _Guard(target, breaker)
    event.listen(target, "do_connect", guard.connect)
    event.listen(target, "do_execute", guard.execute)
    event.listen(target, "do_executemany", guard.execute_many)
    event.listen(target, "do_execute_no_params", guard.execute_no_params)


class _Guard:
    """What the engine's events call; each does the dialect's own work in its place, and says so."""

    def __init__(self, engine: Engine, breaker: BreakerHandle) -> None:
        self._dialect = engine.dialect
        self._breaker = breaker
        self._host = _host(engine.url)

    def connect(self, dialect: Any, record: Any, arguments: Any, options: Any) -> Any:
        del record
        return self._through(lambda: dialect.connect(*arguments, **options))

    def execute(self, cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        self._through(lambda: self._dialect.do_execute(cursor, statement, parameters, context))
        return True

    def execute_many(self, cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        self._through(lambda: self._dialect.do_executemany(cursor, statement, parameters, context))
        return True

    def execute_no_params(self, cursor: Any, statement: str, context: Any) -> bool:
        self._through(lambda: self._dialect.do_execute_no_params(cursor, statement, context))
        return True

    def _through(self, work: Callable[[], Any]) -> Any:
        with self._acquire() as permit:
            try:
                if ON:
                    self._pass_point()
                return work()
            except Exception as error:
                self._judge(permit, error)
                raise

    def _acquire(self) -> Permit:
        """On an event loop the owner's answer to a probe is awaited: other tasks of the loop go on."""
        return await_only(self._breaker.aacquire()) if self._dialect.is_async else self._breaker.acquire()

    def _pass_point(self) -> None:
        """An asynchronous engine's work is done on the event loop, where nothing may block."""
        known: Any = self._dialect.loaded_dbapi.OperationalError
        if self._dialect.is_async:
            await_only(pass_dependency_soon(self._host, known))
        else:
            pass_dependency(self._host, known)

    def _judge(self, permit: Permit, error: Exception) -> None:
        """A refused statement is a success; the block's end judges all else."""
        driver = self._dialect.loaded_dbapi
        kinds = tuple(getattr(driver, name) for name in ANSWERS if hasattr(driver, name))
        if isinstance(error, kinds) and not self._dialect.is_disconnect(error, None, None):  # type: ignore[arg-type]
            permit.success()


def _host(url: URL) -> str:
    """Who a fault at the point `dependency` names: the host, with a port that is given; else the file, or the kind."""
    if url.host is None:
        return url.database or url.get_backend_name()
    return url.host if url.port is None else f"{url.host}:{url.port}"
