"""Things are done in order, by one thread at a time, and none is left behind."""

from __future__ import annotations

import threading

from supervisor.children.outbox import Outbox


def test_things_are_done_in_the_order_in_which_they_were_put_in() -> None:
    done: list[int] = []
    outbox = Outbox(done.append)
    outbox.put([1, 2])
    outbox.put([3])
    outbox.work()
    assert done == [1, 2, 3]


def test_what_comes_while_one_is_at_work_is_done_by_that_one() -> None:
    done: list[int] = []

    def do(thing: int) -> None:
        done.append(thing)
        if thing < 3:
            outbox.put([thing + 1])
            outbox.work()  # returns at once: somebody is at it

    outbox = Outbox(do)
    outbox.put([1])
    outbox.work()
    assert done == [1, 2, 3]


def test_many_threads_lose_nothing_and_keep_the_order() -> None:
    done: list[int] = []
    outbox = Outbox(done.append)
    lock, numbers = threading.Lock(), iter(range(4000))

    def bring() -> None:
        for _ in range(1000):
            with lock:
                outbox.put([next(numbers)])
            outbox.work()

    threads = [threading.Thread(target=bring) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert done == list(range(4000))


def test_one_that_fails_does_not_stop_the_rest() -> None:
    done: list[int] = []

    def do(thing: int) -> None:
        if thing == 1:
            raise ValueError(thing)
        done.append(thing)

    outbox = Outbox(do)
    outbox.put([1, 2])
    try:
        outbox.work()
    except ValueError:
        outbox.work()
    assert done == [2]


def test_who_settles_waits_for_what_another_thread_is_doing() -> None:
    begun, go_on, done = threading.Event(), threading.Event(), list[int]()

    def do(thing: int) -> None:
        begun.set()
        go_on.wait(30)
        done.append(thing)

    outbox = Outbox(do)
    outbox.put([1])
    worker = threading.Thread(target=outbox.work)
    worker.start()
    begun.wait(30)
    threading.Timer(0.05, go_on.set).start()
    outbox.settle()
    assert done == [1]
    worker.join(30)


def test_one_of_the_things_may_settle() -> None:
    done: list[int] = []

    def do(thing: int) -> None:
        outbox.settle()
        done.append(thing)

    outbox = Outbox(do)
    outbox.put([1, 2])
    outbox.work()
    assert sorted(done) == [1, 2]
