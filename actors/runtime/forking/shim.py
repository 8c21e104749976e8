"""What a raylet starts instead of a worker: it asks the fork server for one, else becomes one itself.

    python shim.py default_worker.py ARGUMENTS

Run by path, before anything of ours is imported: the standard library only, and little of it, since each worker waits
for this. See `actors.runtime.forking`.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    del sys.path[0]  # this folder's names are no modules to be found

import array
import fcntl
import json
import os
import socket

PATIENCE_S = 5.0
SERVERS_MAX = 4
"""Fork servers of one node: one for each job that starts actors on it. Each takes some 60 MiB."""

_CONTEXT = "--serialized-runtime-env-context="
_LANGUAGE = "--language="
_PYTHON = "--language=PYTHON"


def main(argv: list[str]) -> None:
    """Get the worker started, one way or another; it does not return."""
    if any(one.startswith(_CONTEXT) or (one.startswith(_LANGUAGE) and one != _PYTHON) for one in argv):
        _as_ray_does(argv)
    worker = [argument for argument in argv if not argument.startswith(_LANGUAGE)]
    place = _place(worker)
    if place is not None and not _asked(place, worker):
        _start_server(place, worker)
    os.execv(sys.executable, [sys.executable, *worker])  # noqa: S606 - what the raylet wants run


def _as_ray_does(argv: list[str]) -> None:
    """A runtime environment, or another language: Ray's own file knows how."""
    script = next(argument for argument in argv if not argument.startswith("-"))
    setup = os.path.join(os.path.dirname(script), "setup_worker.py")
    os.execv(sys.executable, [sys.executable, setup, *argv])  # noqa: S606 - the same


def _place(worker: list[str]) -> str | None:
    """Where the server of this node and job listens; None where there can be none."""
    folder = next((found[len("--temp-dir=") :] for found in worker if found.startswith("--temp-dir=")), "")
    raylet, job = os.environ.get("RAY_RAYLET_PID", ""), os.environ.get("RAY_JOB_ID", "")
    if not (folder and raylet.isdigit() and job.isalnum()) or set(job) == {"f"}:  # no job's: Ray makes them once
        return None
    return f"{folder}/fork-{raylet}-{job}"


def _asked(place: str, worker: list[str]) -> bool:
    """Ends this process when the server takes the worker over; whether there is one that did not."""
    request = json.dumps([worker, dict(os.environ), os.getcwd(), _oom_score()]).encode()
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE_S)
        try:
            line.connect(f"{place}.sock")
        except FileNotFoundError:
            return False
        except ConnectionRefusedError:  # it was killed
            _forget(f"{place}.sock")
            return False
        except OSError:
            return True
        try:
            files = array.array("i", [0, 1, 2])
            line.sendmsg([len(request).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
            line.sendall(request)
            if line.recv(1) != b"y":
                return True
            line.sendall(b"g")  # only now may it go on: a worker that was asked for twice would be one too many
        except OSError:
            return True
    os._exit(0)


def _start_server(place: str, worker: list[str]) -> None:
    """One at a time, and not again where one has found that it cannot."""
    if os.path.exists(f"{place}.off"):
        return
    others = os.path.basename(place).rsplit("-", 1)[0]
    folder = os.path.dirname(place)
    found = [name for name in os.listdir(folder) if name.startswith(f"{others}-") and name.endswith(".sock")]
    if len(found) >= SERVERS_MAX:
        return
    lock = os.open(f"{place}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return
    server = os.path.join(os.path.dirname(os.path.abspath(__file__)), "server.py")
    if os.fork() == 0:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        os.set_inheritable(lock, True)  # noqa: FBT003 - the lock is the server's as long as it lives
        os.execv(sys.executable, [sys.executable, server, place, str(lock), *worker])  # noqa: S606 - ours
    os.close(lock)


def _oom_score() -> str:
    """Ray lets the kernel end workers first when memory runs out: it has told this process so."""
    try:
        with open("/proc/self/oom_score_adj", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "0"


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
