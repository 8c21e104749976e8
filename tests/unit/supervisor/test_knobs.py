"""What the doctor finds: each knob by its value in force, wherever that stands."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from supervisor.knobs import KNOBS, PRELOADED_MODULES, PRESTART, Examined, examine, profile

EVERYTHING = profile(lambda _: True)


def found(config=None, environment=None, refusal=None) -> dict[str, Examined]:
    seen = examine(config or {}, environment or {}, prestart_refusal=refusal)
    return {one.name: one for one in seen}


def lacking(config=None, environment=None, refusal=None) -> set[str]:
    return {name for name, one in found(config, environment, refusal).items() if not one.well}


def test_a_cluster_with_the_profile_is_well():
    assert lacking(EVERYTHING) == set()


def test_a_cluster_as_ray_comes_lacks_every_knob_and_is_told_what_each_costs():
    seen = found()
    assert lacking() == {knob.name for knob in KNOBS}
    for knob in KNOBS:
        one = seen[knob.name]
        assert (one.running, one.source, one.lacking) == (knob.default, "default", knob.lacking)
        assert knob.name in one.remedy
        assert "--system-config" in one.remedy


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.name)
def test_each_knob_is_missed_alone(knob):
    config = {name: value for name, value in EVERYTHING.items() if name != knob.name}
    assert lacking(config) == {knob.name}


def test_an_embedded_ray_is_patient_with_its_only_node_and_that_is_well():
    patient = profile(lambda _: True, embedded=True)
    assert patient["health_check_failure_threshold"] == 60
    assert lacking(patient) == {"health_check_failure_threshold"}
    assert all(one.well for one in examine(patient, {}, prestart_refusal=None, embedded=True))


def test_a_smaller_value_is_as_good_and_a_larger_one_is_not():
    assert lacking({**EVERYTHING, "health_check_period_ms": 100}) == set()
    assert lacking({**EVERYTHING, "health_check_period_ms": 501}) == {"health_check_period_ms"}
    assert lacking({**EVERYTHING, "health_check_period_ms": "soon"}) == {"health_check_period_ms"}


def test_the_environment_counts_where_ray_reads_it_and_the_system_configuration_wins():
    numbers = {f"RAY_{name}": str(value) for name, value in EVERYTHING.items() if isinstance(value, int)}
    assert lacking(environment=numbers) == {"preload_python_modules"}
    assert found(environment=numbers)["health_check_timeout_ms"].source == "environment"
    assert lacking({"health_check_timeout_ms": 9000}, numbers) == {"preload_python_modules", "health_check_timeout_ms"}
    modules = {"RAY_preload_python_modules": ",".join(PRELOADED_MODULES)}
    assert "preload_python_modules" in lacking(environment=modules)
    assert "RAY_preload" not in found()["preload_python_modules"].remedy


def test_more_preloaded_modules_than_ours_are_well_and_fewer_are_not():
    assert lacking({**EVERYTHING, "preload_python_modules": ["numpy", *PRELOADED_MODULES]}) == set()
    assert lacking({**EVERYTHING, "preload_python_modules": PRELOADED_MODULES[1:]}) == {"preload_python_modules"}


def test_a_ray_that_prestarts_nothing_is_told_with_its_own_words():
    assert lacking(EVERYTHING, refusal="UNIMPLEMENTED") == {PRESTART}
    assert "UNIMPLEMENTED" in found(EVERYTHING, refusal="UNIMPLEMENTED")[PRESTART].remedy


def test_only_modules_that_exist_are_preloaded():
    assert profile(lambda name: name.startswith("ray."))["preload_python_modules"] == [
        name for name in PRELOADED_MODULES if name.startswith("ray.")
    ]
    assert [name for name in PRELOADED_MODULES if importlib.util.find_spec(name) is None] == []


ASK_RAY = """
import json
from ray import _raylet
from supervisor.knobs import KNOBS
getters = {knob.name: getattr(_raylet.Config, knob.name, None) for knob in KNOBS}
print(json.dumps({name: getter() for name, getter in getters.items() if getter is not None}))
"""


def test_the_defaults_are_those_of_the_ray_that_is_installed():
    """In a process of its own: one that was ever connected keeps its cluster's values."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    asked = subprocess.run(
        [sys.executable, "-c", ASK_RAY], env=environment, check=True, capture_output=True, timeout=60
    )
    defaults = json.loads(asked.stdout)
    assert len(defaults) >= 4
    assert defaults == {knob.name: knob.default for knob in KNOBS if knob.name in defaults}
