"""A way to a service that was closed says so at once, to threads and to coroutines."""

from __future__ import annotations

from typing import Any, cast

import pytest

from actors.degradation.handle import DegradationHandle
from actors.runtime.errors import SupervisorClosedError
from actors.service.client import ServiceClient
from actors.service.node_board import NodeBoard


class Homes:
    """Nothing runs, and nobody is to be asked for it."""

    def owner_of(self, name: str) -> str | None:
        del name
        return None

    def want(self, name: str, timeout_s: float = 0.0) -> None:
        raise AssertionError((name, timeout_s))


async def test_who_asks_after_the_end_is_told_that_the_handle_is_shut_down() -> None:
    client = ServiceClient("degradation/main", Homes(), NodeBoard(None), supervisor="shop")
    handle = DegradationHandle(client, ("full", "poor"), cast("Any", None))
    client.stop()
    client.start()  # nothing follows from it
    for ask in (handle.statistics, lambda: handle.set_level("poor", reason="a drill")):
        with pytest.raises(SupervisorClosedError, match="the handle of supervisor 'shop' is shut down"):
            ask()
    with pytest.raises(SupervisorClosedError, match="the handle of supervisor 'shop' is shut down"):
        await handle.astatistics()
    assert handle.level == "full", "reading goes on"
