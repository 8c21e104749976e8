"""The guide to supervision, without Ray: its code compiles, its files load, its tables are complete and true."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

import supervisor
from actors.event_log.schema import CHILD_EVENTS
from supervisor import AdministrationError, BackoffSettings, ChildSpec, GroupSpec, PoolSpec, Retry, TreeSpec
from supervisor.cli.main import main
from supervisor.planning import NEXT_START
from supervisor.requests import Problem
from supervisor.treefile import load_tree, parse_tree
from tests import guide


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of somebody who has saved the guide's files."""
    for name, text in guide.files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("shop", None)


def test_the_program_compiles():
    compile(guide.program(), "guide.py", "exec")
    assert len(guide.printed()) == len(re.findall(r"\bprint\(", guide.program())), "every print says what it prints"


def test_the_readme_leads_here():
    assert "(docs/supervision.md)" in (guide.GUIDE.parents[1] / "README.md").read_text(encoding="utf-8")


def test_it_imports_what_there_is():
    names = re.findall(r"^from supervisor import (.+)$", guide.program(), re.MULTILINE)
    assert {name.strip() for line in names for name in line.split(",")} <= set(supervisor.__all__)


def test_the_tree_files_load(saved: Path):
    trees = [parse_tree(text, source=f"block {number}") for number, text in enumerate(guide.blocks("yaml"))]
    tree = load_tree(saved / "tree.yaml")
    assert tree in trees
    assert [member.name for member in tree.members] == ["audit", "market"]
    (market,) = tree.groups or [member for member in tree.members if isinstance(member, GroupSpec)]
    stall, helpers = market.members
    assert isinstance(stall, ChildSpec)
    assert stall.methods["add"] == Retry(attempts=5, on=(ConnectionError,), unknown="never")
    assert isinstance(helpers, PoolSpec)


def test_every_setting_stands_in_a_table_with_its_default():
    told = guide.settings()
    models: tuple[type[BaseModel], ...] = (ChildSpec, PoolSpec, GroupSpec)
    wanted = {(name, _default_of(model, name)) for model in models for name in model.model_fields}
    assert set(told) == wanted
    assert {name for name, _ in told} >= set(TreeSpec.model_fields)


def test_a_retry_and_a_backoff_are_told_with_their_defaults():
    text = guide.GUIDE.read_text(encoding="utf-8")
    retry, backoff = Retry(), BackoffSettings()
    assert f"has {retry.attempts} attempts" in text
    assert f'`min_s={retry.min_s}`,\n`max_s={retry.max_s}`, `backoff="{retry.backoff}"`' in text
    assert all(f"`{name}` {value}" in text for name, value in backoff)


def test_what_apply_restarts_is_told():
    (told,) = re.findall(r"^\| changed `([^`]+)` \|", guide.GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(told.split()) == NEXT_START


def test_commands_and_errors_that_are_named_exist():
    text = guide.GUIDE.read_text(encoding="utf-8")
    errors = set(re.findall(r"`(\w+Error)`", text)) - {"AttributeError", "TimeoutError", "ConnectionError"}
    assert errors <= set(supervisor.__all__)
    commands = set(re.findall(r"`supervisor ([a-z]+)", text))
    assert commands <= set(main.commands)
    assert "checkpoint_skipped" in CHILD_EVENTS


def test_every_reason_for_a_refusal_is_told():
    """What fails to start is another error, and no refusal."""
    reasons = set(get_args(Problem)) - {"start_failed"}
    (table,) = re.findall(
        r"^\| `AdministrationError\.problem` \|.*\n\|---\|---\|\n((?:\|.*\n)+)",
        guide.GUIDE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    told = [word for row in table.splitlines() for word in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(told) == sorted(reasons), "each once"
    listed = (AdministrationError.__doc__ or "").partition("in a word: ")[2]
    assert set(re.findall(r"\w+", listed)) == reasons


def _default_of(model: type[BaseModel], name: str) -> str:
    field = model.model_fields[name]
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Retry):
        changed = ", ".join(
            f"{key}={getattr(value, key)!r}"
            for key in type(value).model_fields
            if getattr(value, key) != getattr(Retry(), key)
        )
        return f"Retry({changed})"
    return repr(value).replace("'", '"')
