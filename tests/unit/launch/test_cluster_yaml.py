"""`cluster.yaml` is valid in Ray's own eyes, and every knob it turns exists in the Ray that is installed."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import ray
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from supervisor.knobs import profile

ROOT = Path(__file__).resolve().parents[3]
PATH = ROOT / "cluster.yaml"


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return yaml.safe_load(PATH.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def prepared(config) -> dict[str, Any]:
    return prepare_config(config)


@pytest.fixture(scope="module")
def knobs(config) -> dict[str, Any]:
    """The system configuration as `ray start` will parse it, after YAML and the shell are done with it."""
    [start] = [command for command in config["head_start_ray_commands"] if "ray start" in command]
    [option] = [word for word in shlex.split(start) if word.startswith("--system-config=")]
    return json.loads(option.removeprefix("--system-config="))


def test_ray_accepts_it(prepared):
    validate_config(prepared)


def test_ray_refuses_a_broken_one(prepared):
    with pytest.raises(ValueError, match="head_node_type"):
        validate_config({**prepared, "head_node_type": "nobody"})


def test_every_node_installs_this_package_from_the_synced_folder(config, prepared):
    [folder] = [there for there, here in config["file_mounts"].items() if here == "."]
    assert any(f"install --quiet {folder}" in command for command in config["setup_commands"])
    for kind in ("head_setup_commands", "worker_setup_commands"):
        assert prepared[kind][: len(config["setup_commands"])] == config["setup_commands"]


def test_the_supervisor_starts_last_on_the_head(config):
    assert "supervisor up" in config["head_start_ray_commands"][-1]
    assert not any("supervisor up" in command for command in config["worker_start_ray_commands"])


def test_every_process_shows_the_token(config):
    starts = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
    assert all("RAY_AUTH_MODE=token" in command for command in starts if command != "ray stop")
    assert any(here == "~/.ray/auth_token" for here in config["file_mounts"].values())


def test_it_sets_what_the_embedded_start_sets_and_the_doctor_looks_for(knobs):
    assert knobs == profile(lambda _: True)


def test_every_knob_exists_in_this_ray(knobs):
    """Ray lists its knobs nowhere in Python; each is compiled in as its name and as the variable RAY_<name>."""
    compiled = (Path(ray.__file__).parent / "_raylet.so").read_bytes()
    assert [name for name in knobs if not _is_compiled_in(name, compiled)] == []
    assert not _is_compiled_in("health_check_perriod_ms", compiled)


def test_every_preloaded_module_exists(knobs):
    """A name that does not import would cost every worker its start."""
    assert [name for name in knobs["preload_python_modules"] if importlib.util.find_spec(name) is None] == []


def test_each_knob_is_explained(knobs):
    comments = "\n".join(line for line in PATH.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    assert [name for name in knobs if not re.search(rf"\b{name}\b", comments)] == []


def _is_compiled_in(name: str, compiled: bytes) -> bool:
    return all(b"\0" + text.encode() + b"\0" in compiled for text in (name, f"RAY_{name}"))
