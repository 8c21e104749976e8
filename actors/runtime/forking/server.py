"""The fork server of one node and job: it has loaded what a worker needs, and forks a worker for each shim that asks.

    python server.py PLACE LOCK default_worker.py ARGUMENTS OF ANY WORKER

LOCK is the open file whose lock it holds as long as it lives, and which none of its workers may keep.

Run by path, with a shim's environment: what Ray reads from the environment while it is imported is as the node's
workers have it. It never runs a second thread, because a fork has only the one that forked. It ends with its raylet,
and when nobody has asked for a while. See `actors.runtime.forking`.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path[0] = sys.argv[3].rpartition("/")[0]  # as the worker has it: this folder's names are no modules to be found

import array
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import types
from contextlib import suppress
from pathlib import Path
from typing import Any

IDLE_S = 600.0
PATIENCE_S = 5.0
_PRELOAD = "--worker-preload-modules="
_LOADS = "RAY_SUPERVISOR_FORK_LOADS"
_WORKER = "ray._private.workers.default_worker"
_GO = b"g"


def main(argv: list[str]) -> None:
    """Serve until the raylet is gone; in a forked worker it returns with the worker's end."""
    place, lock, worker, given = argv[0], int(argv[1]), argv[2:], dict(os.environ)
    raylet = os.pidfd_open(int(os.environ["RAY_RAYLET_PID"]))
    code = _load(worker)
    if not _can_fork():
        Path(f"{place}.off").touch()
        return
    with _listening(place) as line:
        request = _serve(place, line, raylet, given)
    if request is None:
        return
    os.close(raylet)
    os.close(lock)
    set_by_modules = {name: value for name, value in os.environ.items() if given.get(name) != value}
    _become(request, code, set_by_modules)


def _load(worker: list[str]) -> types.CodeType:
    """Import what a worker imports, and compile the program that it runs."""
    importlib.import_module(_WORKER)
    wanted = [found[len(_PRELOAD) :] for found in worker if found.startswith(_PRELOAD)]
    for name in filter(None, ",".join([*wanted, os.environ.get(_LOADS, "")]).split(",")):
        with suppress(Exception):  # as Ray does: a worker that needs it will say so
            importlib.import_module(name)
    code = compile(Path(worker[0]).read_bytes(), worker[0], "exec")
    gc.collect()
    gc.freeze()  # the pages of what is loaded stay shared
    return code


def _can_fork() -> bool:
    """Whether nothing that was loaded has begun a thread, or drawn an id: then each worker would draw the same."""
    return len(os.listdir("/proc/self/task")) == 1 and _drawn_id() != _drawn_id()


def _drawn_id() -> bytes:
    """The first id that a forked process draws."""
    from ray._raylet import UniqueID  # noqa: PLC0415 - private, as all of this; loaded by now

    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, UniqueID.from_random().binary())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        drawn = answer.read()
    os.wait()
    return drawn


def _listening(place: str) -> socket.socket:
    """The listening socket; whoever sees its name can connect."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    with suppress(FileNotFoundError):
        os.unlink(f"{place}.new")
    before = os.umask(0o177)
    line.bind(f"{place}.new")
    os.umask(before)
    line.listen(128)
    os.rename(f"{place}.new", f"{place}.sock")
    return line


def _serve(place: str, line: socket.socket, raylet: int, given: dict[str, str]) -> list[Any] | None:
    """Fork for each who connects; returns in the worker with what was asked, and in the server at its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the workers
    ready = select.poll()
    ready.register(line, select.POLLIN)
    ready.register(raylet, select.POLLIN)
    while True:
        found = {descriptor for descriptor, _ in ready.poll(IDLE_S * 1000)}
        if line.fileno() not in found:
            with suppress(FileNotFoundError):
                os.unlink(f"{place}.sock")
            return None
        connection, _ = line.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            request = _agreed(connection, given)
            connection.close()
            if request is None:
                os._exit(0)
            return request
        connection.close()


def _agreed(connection: socket.socket, given: dict[str, str]) -> list[Any] | None:
    """What is to be run, once who asks has said go; its files are 0, 1 and 2 from then on. None: he does it himself."""
    connection.settimeout(PATIENCE_S)
    with suppress(OSError, ValueError, IndexError):
        if _user_of(connection) != os.getuid():
            return None
        head, extra, _, _ = connection.recvmsg(4, socket.CMSG_SPACE(12))
        files = array.array("i")
        files.frombytes(extra[0][2][:12])
        request: list[Any] = json.loads(_exactly(connection, int.from_bytes(head, "big")))
        if _read_once(request[1]) != _read_once(given):
            return None
        connection.sendall(b"y")
        if connection.recv(1) != _GO:
            return None
        for stream, file in enumerate(files):
            os.dup2(file, stream)
            os.close(file)
        return request
    return None


def _user_of(connection: socket.socket) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])


def _exactly(connection: socket.socket, count: int) -> bytes:
    taken = bytearray()
    while len(taken) < count:
        piece = connection.recv(count - len(taken))
        if not piece:
            raise ValueError("who asked is gone")
        taken += piece
    return bytes(taken)


def _read_once(environment: dict[str, str]) -> dict[str, str]:
    """What is read while a process begins or loads: a worker with another value of it cannot be forked from here."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(("RAY_", "PYTHON", "LD_", "MALLOC_", "GRPC_"))
    }


def _become(request: list[Any], code: types.CodeType, set_by_modules: dict[str, str]) -> None:
    """Be the worker, as if it had been started by the raylet."""
    argv, environment, folder, oom_score = request
    os.setpgid(0, 0)  # Ray ends the group of a worker with it
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(oom_score, encoding="ascii")
    os.environ.clear()
    os.environ.update(environment | set_by_modules)
    os.chdir(folder)
    sys.argv = argv
    module = types.ModuleType("__main__")
    module.__file__ = argv[0]
    sys.modules["__main__"] = module
    exec(code, module.__dict__)  # noqa: S102 - Ray's own program


if __name__ == "__main__":
    main(sys.argv[1:])
