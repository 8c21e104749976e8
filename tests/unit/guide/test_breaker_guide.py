"""The guide to breakers: its program runs as it stands there, without Ray, and names what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import supervisor
from actors.breaker.handle import BreakerHandle
from actors.breaker.here import BreakerMetrics
from actors.breaker.names import NAME_BYTES_MAX, NAMES_MAX
from actors.breaker.scenario import Phase, Scenario
from actors.breaker.settings import BreakerSettings
from actors.breaker.simulate import SimulationReport
from actors.breaker.view import Totals
from tests import guide

ROOT = Path(__file__).parents[3]
TEXT = guide.BREAKER_GUIDE.read_text(encoding="utf-8")


def test_the_program_does_what_the_guide_says(tmp_path: Path):
    script = tmp_path / "guide.py"
    script.write_text(f"import sys\nsys.modules['ray'] = None\n{guide.program(guide.BREAKER_GUIDE)}", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, str(script)],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    assert ended.stdout.splitlines() == guide.printed(guide.BREAKER_GUIDE)


def test_it_imports_what_there_is():
    names = re.findall(r"^from supervisor import (.+)$", guide.program(guide.BREAKER_GUIDE), re.MULTILINE)
    assert {name.strip() for line in names for name in line.split(",")} <= set(supervisor.__all__)


def test_the_numbers_are_those_of_the_code():
    assert f"at most {NAME_BYTES_MAX}\nbytes" in TEXT
    assert f"at most {NAMES_MAX:,} of them" in TEXT


def test_every_setting_stands_in_the_table_with_its_default():
    wanted = [(name, _default_of(field.default)) for name, field in BreakerSettings.model_fields.items()]
    assert guide.settings(guide.BREAKER_GUIDE) == wanted


def _default_of(value: Any) -> str:
    return "(Exception,)" if value == (Exception,) else repr(value)


def test_every_number_of_the_metrics_is_told():
    table = TEXT[TEXT.index("| field | meaning |") : TEXT.index("Who asked for a probe")]
    told = set(re.findall(r"`(\w+)`", table))
    numbers = {field.name for field in fields(BreakerMetrics)} | {field.name for field in fields(Totals)}
    assert numbers <= told


def test_what_a_simulation_takes_and_tells_is_told():
    models = {*Phase.model_fields, *Scenario.model_fields, *(field.name for field in fields(SimulationReport))}
    assert [name for name in models if name not in TEXT] == []


@pytest.mark.parametrize("name", ["acquire", "aacquire", "try_acquire", "atry_acquire"])
def test_the_ways_by_hand_are_there(name: str):
    assert hasattr(BreakerHandle, name)
    assert f"{name}()`" in TEXT


@pytest.mark.parametrize(
    ("library", "names"),
    [
        ("httpx", ("BreakerTransport", "AsyncBreakerTransport")),
        ("requests", ("BreakerAdapter",)),
        ("urllib3", ("BreakerPool",)),
        ("aiohttp", ("breaker_middleware",)),
        ("sqlalchemy", ("guard_engine",)),
    ],
)
def test_each_adapter_that_it_names_is_there(library: str, names: tuple[str, ...]):
    pytest.importorskip(library)
    adapter = import_module(f"actors.breaker.adapters.{library}")
    assert all(hasattr(adapter, name) and f"{name}(" in TEXT for name in names)
