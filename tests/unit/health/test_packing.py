"""A probe travels by value where it cannot be imported, and one that cannot run says why."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from actors.health import probes
from actors.health.packing import ProbeShelf, pack_probe
from actors.runtime.errors import ConfigError

ROOT = Path(__file__).parents[3]


class Counts:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        return self.calls


def test_what_is_loaded_once_keeps_what_it_notes() -> None:
    shelf, data = ProbeShelf(), pack_probe(Counts())
    assert [shelf.probe("a", data)() for _ in range(3)] == [1, 2, 3]
    assert shelf.probe("b", data)() == 1, "each registration has its own"


def test_the_least_used_leaves_first() -> None:
    shelf, data = ProbeShelf(limit=2), pack_probe(Counts())
    for name in ("a", "b", "a", "c", "a"):
        shelf.probe(name, data)()
    assert shelf.probe("a", data)() == 4
    assert shelf.probe("b", data)() == 1


@pytest.mark.parametrize("how", ["function", "partial", "instance", "sql"])
def test_it_runs_where_its_module_does_not_exist(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "private_probes.py").write_text(
        "import sqlite3\n"
        "def well(): return True\n"
        "def named(name): return name == 'x'\n"
        "def connect(): return sqlite3.connect(':memory:')\n"
        "class Asks:\n    def __call__(self): return well()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import private_probes  # pyright: ignore[reportMissingImports] # noqa: PLC0415 - made just now

    probe = {
        "function": private_probes.well,
        "partial": partial(private_probes.named, "x"),
        "instance": private_probes.Asks(),
        "sql": probes.sql(private_probes.connect, value=1),
    }[how]
    (tmp_path / "packed").write_bytes(pack_probe(probe))
    script = "import sys, pickle; print(pickle.load(open(sys.argv[1], 'rb'))())"
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "packed")],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "(True, 'it says 1')" if how == "sql" else "True"), (
        ended.stderr
    )


def test_one_that_cannot_be_loaded_says_so_when_it_runs() -> None:
    with pytest.raises(LookupError, match="it cannot be loaded here: ModuleNotFoundError"):
        ProbeShelf().probe("a", b"cno_such_module\nprobe\n.")()


@pytest.mark.parametrize(
    ("probe", "problem"),
    [
        (7, "probe: int cannot be called"),
        (partial(print, (each for each in ())), "probe: it does not pickle"),
        (partial(len, "x" * 100_000), "probe: it takes "),
    ],
)
def test_what_cannot_travel_is_refused_with_the_remedy(probe: object, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        pack_probe(probe)  # pyright: ignore[reportArgumentType] - wrong on purpose


def test_a_probe_that_wants_arguments_is_refused_where_it_is_registered() -> None:
    def ping(host: str, port: int = 80) -> bool:
        return bool(host and port)

    with pytest.raises(ConfigError, match=r"called without arguments, and wants some \(missing .*'host'\)"):
        pack_probe(ping)  # pyright: ignore[reportArgumentType] - that is the mistake
    assert pack_probe(partial(ping, "db"))
    assert pack_probe(lambda port=80: port > 0)
    assert pack_probe(Counts)
    assert pack_probe(dict), "a built-in of which Python does not know what it takes"
