"""What an experiment is refused for on a cluster is told with line and path, where its file has one place for it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from experiments.model.loading import load_experiment
from experiments.model.placing import Placed, Places

TEXT = """\
title: t
description: d
steady-state-hypothesis:
  title: h
  probes:
    - type: probe
      name: all
      tolerance: 0
      provider: {type: python, module: experiments.driver, func: unrecovered}
    - type: probe
      name: all is well
      tolerance: 0
      provider: {type: python, module: experiments.driver, func: unrecovered}
method:
  - type: action
    name: kill
    provider:
      type: python
      module: experiments.driver
      func: inject
      arguments: {fault: crash, target: {kind: worker}}
extensions:
  - name: another
  - name: ray-supervisor
    safety:
      guards:
        - {name: g, probe: health_score, tolerance: [50, 100]}
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    path = tmp_path / "e.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return Placed.load(path).places


@pytest.mark.parametrize(
    ("words", "begin"),
    [
        ("method[0]: the selector (worker) matches nothing", "line 15, method[0]: the selector"),
        ("method[0], crash on node n: no /proc", "line 15, method[0], crash on node"),
        ("safety.guards[0], g: it is out", "line 27, extensions[1].safety.guards[0]: safety.guards[0], g"),
        ("before: all does not hold: 1", "line 6, steady-state-hypothesis.probes[0]: before: all does"),
        ("before: all is well cannot be judged: x", "line 10, steady-state-hypothesis.probes[1]: before: all is well"),
    ],
)
def test_it_is_told_with_its_place(places: Places, words: str, begin: str) -> None:
    assert places.place(words).startswith(begin)


@pytest.mark.parametrize(
    "words", ["ann: enough", "it may run only mon 09:00-17:00 UTC", "method[7]: x", "", "before: no"]
)
def test_what_is_about_the_whole_stays_as_it_is(places: Places, words: str) -> None:
    assert places.place(words) == words


def test_what_came_from_no_file_has_no_place() -> None:
    whole = load_experiment("kill-worker")
    assert Placed.load(whole).places.place("method[0]: x") == "method[0]: x"
    assert Placed.load("kill-worker").places.place("method[0]: x").startswith("line ")


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as writer:
        writer.submit(pipe.write_text, TEXT)
        placed = Placed.load(pipe)
    assert placed.experiment.title == "t"
    assert placed.places.place("method[0]: x").startswith("line ")
