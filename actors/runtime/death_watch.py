"""Deaths of this node's processes, told by the kernel within two milliseconds.

Ray tells of an actor's death after 10 to 20 ms, because a killed process first gives its memory back (8 ms for a Ray
worker), and only then closes its sockets. Its threads are gone much earlier: a pidfd of a *thread* (Linux 6.9) becomes
readable 0.3 to 2 ms after SIGKILL. So each of our actors keeps a thread that never ends, its witness, and that is
watched. Older kernels give a pidfd of the process, which is as late as Ray; without any, deaths are left to Ray's
notice, and so are those on other nodes.

Rejected: polling /proc for the exiting flag (2 % of a core per process), a sentinel child with a parent-death signal
(one more process per actor).
"""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from actors.runtime.process import ProcessIdentity, is_alive

_LOG = logging.getLogger("supervisor")

_PIDFD_THREAD = os.O_EXCL
"""Linux's PIDFD_THREAD has this value; Python does not name it yet."""


class DeathWatch:
    """Watches processes of this host by name.

    Args:
        on_death: Called once for each watched process that ends, on the watch's own thread.
    """

    def __init__(self, on_death: Callable[[str], None]) -> None:
        self._on_death = on_death
        self._lock = threading.Lock()
        self._descriptors: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._poll = select.poll()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._poll.register(self._wake_read, select.POLLIN)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="supervisor-deaths", daemon=True)
        self._thread.start()

    def watch(self, name: str, process: ProcessIdentity) -> bool:
        """Begin to watch; False when this cannot be watched (it is dead already, or there are no pidfds)."""
        with self._lock:
            if self._closed or name in self._descriptors:
                return not self._closed
            descriptor = _open(process)
            if descriptor is None:
                return False
            self._descriptors[name] = descriptor
            self._names[descriptor] = name
            self._poll.register(descriptor, select.POLLIN)
            self._wake()
        return True

    def keep_only(self, names: set[str]) -> None:
        """Watch none but these any more."""
        with self._lock:
            for name in set(self._descriptors) - names:
                self._drop(name)

    def close(self) -> None:
        """Watch nothing any more."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._wake()
        self._thread.join(timeout=1.0)

    def _wake(self) -> None:
        """Under the lock: the thread, which may be about to end anyhow, closes the pipe under it."""
        with suppress(BlockingIOError):  # full: the thread will look anyway
            os.write(self._wake_write, b"\0")

    def _drop(self, name: str) -> None:
        descriptor = self._descriptors.pop(name)
        del self._names[descriptor]
        self._poll.unregister(descriptor)
        os.close(descriptor)

    def _run(self) -> None:
        while not self._closed:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._wake_read:
                    os.read(self._wake_read, 4096)
                    continue
                with self._lock:
                    name = self._names.get(descriptor)
                    # Asked anew: meanwhile the number may have passed to another one, whose process lives.
                    if name is not None and not _is_readable(descriptor):
                        name = None
                    if name is not None:
                        self._drop(name)
                if name is not None:
                    self._tell(name)
        with self._lock:
            for name in list(self._descriptors):
                self._drop(name)
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _tell(self, name: str) -> None:
        try:
            self._on_death(name)
        except Exception:  # noqa: BLE001 - whoever is told of one death must not keep the others from being told
            _LOG.exception("the death of %s could not be told", name)


def _is_readable(descriptor: int) -> bool:
    fresh = select.poll()
    fresh.register(descriptor, select.POLLIN)
    return any(event & select.POLLIN for _, event in fresh.poll(0))


def _open(process: ProcessIdentity) -> int | None:
    """A descriptor that becomes readable when the process dies, or None."""
    for number, flags in ((process.witness, _PIDFD_THREAD), (process.pid, 0)):
        try:
            descriptor = os.pidfd_open(number, flags) if number else None
        except (OSError, AttributeError):
            continue
        if descriptor is None:
            continue
        # Opened first, checked then: if that life still has this thread now, the descriptor is bound to it.
        if is_alive(process) and Path(f"/proc/{process.pid}/task/{number}").exists():
            return descriptor
        os.close(descriptor)
    return None
