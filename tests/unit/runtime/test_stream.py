"""A stream of transitions: in threads, in coroutines, bounded, and over when it is closed."""

from __future__ import annotations

import asyncio
import threading

from actors.breaker.sighting import Transition
from actors.runtime.stream import WAITING_MAX, EventStream


def change(generation: int) -> Transition:
    return Transition(name="b", before="closed", after="open", generation=generation)


def test_what_nobody_reads_is_bounded_and_counted():
    stream = EventStream[Transition]()
    for number in range(WAITING_MAX + 3):
        stream.put(change(number))
    assert stream.missed == 3
    first = stream.next(0)
    assert first is not None
    assert first.generation == 3


def test_a_thread_that_iterates_ends_when_the_stream_is_closed():
    stream, seen = EventStream[Transition](), []
    thread = threading.Thread(target=lambda: seen.extend(stream))
    thread.start()
    stream.put(change(1))
    while not seen:
        assert thread.is_alive()
    stream.close()
    stream.close()
    thread.join(30)
    stream.put(change(2))
    assert (seen, stream.next(0), stream.closed) == ([change(1)], None, True)


async def test_coroutines_wait_without_a_thread_and_share_the_transitions():
    stream: EventStream[Transition] = EventStream[Transition]()
    waiting = [asyncio.ensure_future(anext(stream)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.to_thread(lambda: [stream.put(change(number)) for number in range(2)])
    assert sorted([each.generation for each in await asyncio.gather(*waiting)]) == [0, 1]
    with stream:
        last = asyncio.ensure_future(_all(stream))
        await asyncio.sleep(0)
    assert await last == []


async def test_a_cancelled_wait_loses_nothing():
    stream = EventStream[Transition]()
    task = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    stream.put(change(5))
    assert (await anext(stream)).generation == 5


async def _all(stream: EventStream[Transition]) -> list[Transition]:
    return [each async for each in stream]
