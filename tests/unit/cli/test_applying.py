"""`apply` reads the file before it looks for a cluster, says what changes, and is wordy about every mistake."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from click.testing import CliRunner, Result

from actors.runtime.errors import ConfigError
from supervisor.cli import applying
from supervisor.cli.main import main
from supervisor.planning import Plan, Setting, SpecSummary, plan_changes
from supervisor.specs import TreeSpec
from supervisor.specs.summary import summarise_tree

CART = "children: [{name: cart, cls: 'tests.unit.specs.scene:Cart', args: [eu]}]"


@dataclass
class FakeHandle:
    """A supervisor that holds specs and plans as the real one does."""

    current: dict[str, SpecSummary] = field(default_factory=dict[str, SpecSummary])
    asked: list[tuple[str | None, bool, bool]] = field(default_factory=list[tuple[str | None, bool, bool]])
    address: str | None = None

    def apply(self, tree: TreeSpec, *, dry_run: bool = False, restart_changed: bool = False) -> Plan:
        self.asked.append((self.address, dry_run, restart_changed))
        wanted = summarise_tree(tree)
        plan = plan_changes(self.current, wanted, restart_changed=restart_changed)
        if not dry_run:
            self.current = wanted
        return plan

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> FakeHandle:
    made = FakeHandle()

    def attach(name: str, address: str | None) -> FakeHandle:
        assert name == "default"
        made.address = address
        return made

    monkeypatch.setattr(applying, "attached", attach)
    return made


def run(folder: Path, text: str, *options: str) -> Result:
    path = folder / "tree.yaml"
    path.write_text(text, encoding="utf-8")
    return CliRunner().invoke(main, ["apply", str(path), *options], env={"COLUMNS": "80"})


def test_a_file_is_applied_and_the_plan_is_told(tmp_path: Path, handle: FakeHandle) -> None:
    ended = run(tmp_path, CART)
    assert ended.exit_code == 0
    assert ended.output == "+ child cart: cls tests.unit.specs.scene:Cart, args ['eu']\n1 to add\n"
    assert handle.asked == [(None, False, False)]
    assert run(tmp_path, CART).output == "nothing to change: 1 as they are\n"


def test_a_dry_run_changes_nothing_and_says_so(tmp_path: Path, handle: FakeHandle) -> None:
    ended = run(tmp_path, CART, "--dry-run", "--address", "h:1")
    assert ended.exit_code == 0
    assert ended.output.endswith("1 to add\ndry run: nothing was changed\n")
    assert (handle.asked, handle.current) == ([("h:1", True, False)], {})


@pytest.mark.parametrize("options", [(), ("--restart-changed",)])
def test_what_waits_for_a_start_is_told_with_the_way_to_have_it_now(
    tmp_path: Path, handle: FakeHandle, options: tuple[str, ...]
) -> None:
    run(tmp_path, CART)
    ended = run(tmp_path, CART.replace("eu", "us"), *options)
    assert ended.exit_code == 0
    assert "    args: ['eu'] -> ['us']\n" in ended.output
    assert ("--restart-changed restarts it" in ended.output) == (not options)
    assert ("~ child cart: restarts now" in ended.output) == bool(options)


def test_every_problem_has_a_line_and_nothing_was_asked(tmp_path: Path, handle: FakeHandle) -> None:
    ended = run(tmp_path, "children: [{name: a b, cls: 'no_such:A', restart: sometimes}]")
    assert ended.exit_code == 1
    lines = ended.output.splitlines()
    assert lines[0] == f"error: {tmp_path / 'tree.yaml'}: 3 problems"
    assert [line.strip().partition(":")[0] for line in lines[1:]] == [
        "children[0].name",
        "children[0].cls",
        "children[0].restart",
    ]
    assert handle.asked == []


def test_one_problem_is_one_line(tmp_path: Path, handle: FakeHandle) -> None:
    ended = run(tmp_path, "childs: []")
    path = tmp_path / "tree.yaml"
    assert ended.output == f"error: {path}: childs: unknown key; known keys here: children, groups, pools\n"
    assert CliRunner().invoke(main, ["apply", str(tmp_path / "none.yaml")]).exit_code == 1
    assert handle.asked == []


def test_a_name_that_code_has_is_an_error(tmp_path: Path, handle: FakeHandle) -> None:
    handle.current = {
        "cart": SpecSummary(path="cart", kind="child", settings={"cls": Setting(same="x", shown="x")}, origin="code")
    }
    ended = run(tmp_path, CART)
    assert ended.exit_code == 1
    assert ended.output.startswith("error: apply: cart: is a child that code has made")
    with pytest.raises(ConfigError):
        handle.apply(TreeSpec.parse({"children": [{"name": "cart", "cls": "tests.unit.specs.scene:Cart"}]}, source=""))


def test_classes_are_found_in_the_current_folder(
    tmp_path: Path, handle: FakeHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_classes_here.py").write_text("class Own: ...\n")
    monkeypatch.setattr("sys.path", ["/nowhere"])
    monkeypatch.chdir(tmp_path)
    ended = run(tmp_path, "children: [{name: a, cls: 'own_classes_here:Own'}]")
    assert ended.exit_code == 0, ended.output
    assert list(handle.current) == ["a"]
