"""Deaths of this node's processes are told once, for the right process, and only for real ends."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading

import pytest

from actors.runtime.death_watch import DeathWatch
from actors.runtime.process import ProcessIdentity, evidence, is_alive, kill, this_process

_CHILD = """
import sys, threading
witness = threading.Thread(target=threading.Event().wait, daemon=True)
witness.start()
print(witness.native_id, flush=True)
sys.stdin.read()
"""


class Child:
    """A process with a witness thread, like our actors have one."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        witness = int(self.process.stdout.readline())
        self.identity = ProcessIdentity(self.process.pid, _started_ticks(self.process.pid), witness)


def _started_ticks(pid: int) -> int:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rpartition(")")[2].split()[19])


@pytest.fixture
def child():
    made = Child()
    yield made
    made.process.kill()
    made.process.wait()


@pytest.fixture
def told():
    return queue.SimpleQueue()


@pytest.fixture
def watch(told):
    made = DeathWatch(told.put)
    yield made
    made.close()


def test_a_killed_process_is_told_once(watch, told, child):
    assert watch.watch("worker", child.identity)
    child.process.kill()
    assert told.get(timeout=10) == "worker"
    child.process.wait()
    assert told.empty()


def test_without_a_witness_the_process_itself_is_watched(watch, told, child):
    assert watch.watch("worker", ProcessIdentity(child.identity.pid, child.identity.started_ticks))
    child.process.kill()
    assert told.get(timeout=10) == "worker"


def test_a_process_that_ends_by_itself_is_told(watch, told, child):
    assert watch.watch("worker", child.identity)
    child.process.stdin.close()
    assert told.get(timeout=10) == "worker"


def test_a_dead_process_cannot_be_watched(watch, child):
    child.process.kill()
    child.process.wait()
    assert not watch.watch("worker", child.identity)


def test_another_life_of_the_same_pid_is_not_watched(watch, child):
    stranger = ProcessIdentity(child.identity.pid, child.identity.started_ticks - 1, child.identity.witness)
    assert not watch.watch("worker", stranger)


def test_what_is_no_longer_watched_is_not_told(watch, told):
    kept, dropped = Child(), Child()
    try:
        assert watch.watch("kept", kept.identity)
        assert watch.watch("dropped", dropped.identity)
        watch.keep_only({"kept"})
        dropped.process.kill()
        dropped.process.wait()
        kept.process.kill()
        assert told.get(timeout=10) == "kept"
        assert told.empty()
    finally:
        for made in (kept, dropped):
            made.process.kill()
            made.process.wait()


def test_a_closed_watch_takes_nothing_and_holds_nothing(told, child):
    made = DeathWatch(told.put)
    assert made.watch("worker", child.identity)
    (descriptor,) = made._descriptors.values()
    made.close()
    assert not made.watch("worker", child.identity)
    assert not made._thread.is_alive()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_whoever_fails_at_one_death_is_told_of_the_next(told, child):
    def tell(name):
        told.put(name)
        raise LookupError(name)

    other, made = Child(), DeathWatch(tell)
    try:
        for name, each in (("first", child), ("second", other)):
            assert made.watch(name, each.identity)
            each.process.kill()
            assert told.get(timeout=10) == name
    finally:
        made.close()
        other.process.kill()
        other.process.wait()


class Lagging:
    """A lock after whose release the processor is taken from whoever closes the watch, until its thread has ended."""

    def __init__(self, watch, closing):
        self._watch = watch
        self._lock = watch._lock
        self._closing = closing

    def __enter__(self):
        self._lock.acquire()

    def __exit__(self, *_):
        self._lock.release()
        if self._watch._closed and threading.current_thread() is not self._watch._thread:
            self._closing.set()
            self._watch._thread.join(10)


def test_a_watch_can_be_closed_while_its_thread_ends(monkeypatch, told, child):
    """Seen: whoever had just been told of its leader's death failed at this, and nobody led."""
    closing = threading.Event()

    def tell(name):
        told.put(name)
        assert closing.wait(10)

    made = DeathWatch(tell)
    assert made.watch("leader", child.identity)
    child.process.kill()
    assert told.get(timeout=10) == "leader"
    monkeypatch.setattr(made, "_lock", Lagging(made, closing))
    made.close()
    assert not made._thread.is_alive()


def test_kill_hits_that_life_of_the_pid_and_no_other(child):
    stranger = ProcessIdentity(child.identity.pid, child.identity.started_ticks - 1)
    assert not kill(stranger)
    assert is_alive(child.identity)
    assert kill(child.identity)
    child.process.wait()
    assert not kill(child.identity)


def test_evidence_of_a_stopped_process_says_so(child):
    os.kill(child.identity.pid, 19)
    os.waitid(os.P_PID, child.identity.pid, os.WSTOPPED)
    assert evidence(child.identity, now=0.0).state == "T"


def test_evidence_of_an_unreaped_process_is_that_it_is_gone(child):
    child.process.kill()
    os.waitid(os.P_PID, child.identity.pid, os.WEXITED | os.WNOWAIT)
    assert evidence(child.identity, now=0.0).state == "Z"
    assert not is_alive(child.identity)


def test_this_process_lives():
    assert is_alive(this_process())


class Late:
    """A poll that gives its news when they are old: something was done meanwhile."""

    def __init__(self, poll, watched, meanwhile):
        self._poll = poll
        self._watched = watched
        self._meanwhile = meanwhile
        self._done = False
        self.entered, self.entered_again = threading.Event(), threading.Event()

    def __getattr__(self, name):
        return getattr(self._poll, name)

    def poll(self):
        (self.entered_again if self._done else self.entered).set()
        found = self._poll.poll()
        if not self._done and any(number == self._watched for number, _ in found):
            self._done = True
            self._meanwhile()
        return found


def test_a_number_that_has_passed_to_another_descriptor_tells_nothing_of_its_process(watch, told, child):
    """Seen: a living child was taken for dead, and its calls waited for a successor that never came."""
    dead = Child()
    assert watch.watch("dead", dead.identity)
    numbers = [watch._descriptors["dead"]]

    def pass_it_on():
        watch.keep_only(set())
        assert watch.watch("living", child.identity)
        numbers.append(watch._descriptors["living"])

    late = watch._poll = Late(watch._poll, numbers[0], pass_it_on)
    watch._wake()
    assert late.entered.wait(10)
    dead.process.kill()
    dead.process.wait()
    assert late.entered_again.wait(10)
    assert numbers[0] == numbers[1], "the case that this is about"
    assert told.empty()
    child.process.kill()
    assert told.get(timeout=10) == "living"
