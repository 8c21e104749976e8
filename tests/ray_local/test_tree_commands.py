"""A tree file on a real supervisor, and the administration of what it made, from the shell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from supervisor import Supervisor
from supervisor.cli.main import main
from tests.ray_local.conftest import Family

SCENE = "tests.unit.specs.scene"


def run(sup: Supervisor, *arguments: str, code: int = 0) -> list[str]:
    """What a command says, a word list a line; Ray's own news are left out."""
    ended: Result = CliRunner().invoke(main, [*arguments, "--name", sup.name], env={"COLUMNS": "120"})
    assert ended.exit_code == code, ended.output
    return [line for line in ended.output.splitlines() if "(raylet)" not in line]


def tree(folder: Path, *, shop: dict[str, Any] | None = None, **cart: Any) -> str:
    path = folder / "tree.yaml"
    own = {"name": "cart", "cls": f"{SCENE}:Cart", "heartbeat_s": 0.5, **cart}
    pool = {"name": "clerks", "cls": f"{SCENE}:Cart", "size": 2}
    group = {"name": "shop", "intensity": 5, "children": [own], "pools": [pool], **(shop or {})}
    path.write_text(json.dumps({"children": [{"name": "audit", "cls": f"{SCENE}:Cart"}], "groups": [group]}))
    return str(path)


def test_a_file_is_applied_changed_and_taken_back(
    sup: Supervisor, family: Family, tmp_path: Path, eventually: Callable[..., None]
):
    dry = run(sup, "apply", tree(tmp_path), "--dry-run")
    assert dry[-2:] == ["4 to add", "dry run: nothing was changed"]
    assert run(sup, "apply", tree(tmp_path))[-1] == "4 to add"
    cart: Any = sup.child("shop.cart")
    assert cart.add.remote("ab").result(timeout=30) == 2
    assert run(sup, "apply", tree(tmp_path)) == ["nothing to change: 4 as they are"]

    before = family.pid("child/shop.cart")
    told = run(sup, "apply", tree(tmp_path, standbys=1))
    assert told[:2] == ["~ child shop.cart: at once", "    standbys: 0 -> 1"]
    waits = run(sup, "apply", tree(tmp_path, standbys=1, args=["us"]))
    assert waits[-1].startswith("what waits for its next start runs on as it was")
    assert family.pid("child/shop.cart") == before

    sup.supervise(dict, name="mine")
    again = run(sup, "apply", tree(tmp_path, standbys=1, args=["asia"]), "--restart-changed")
    assert again[0] == "~ child shop.cart: restarts now"
    assert family.pid("child/shop.cart") != before

    empty = tmp_path / "empty.yaml"
    empty.write_text("")
    assert run(sup, "apply", str(empty))[-1].endswith("4 to end")
    eventually(lambda: [child.key for child in sup.status().tree if child.key.startswith("child/")] == ["child/mine"])

    (tmp_path / "clash.yaml").write_text(json.dumps({"children": [{"name": "mine", "cls": f"{SCENE}:Cart"}]}))
    (clash,) = run(sup, "apply", str(tmp_path / "clash.yaml"), code=1)
    assert clash.startswith("error: apply: mine: is a child that code has made")


def number_of_cart(sup: Supervisor) -> int:
    return next(child.incarnation for child in sup.status().tree if child.key == "child/shop.cart")


def test_a_group_gets_a_supervisor_of_its_own_and_gives_it_back(sup: Supervisor, tmp_path: Path):
    """As often as a file says so; what it leaves is told as ended and added, and no number of a life comes twice."""
    run(sup, "apply", tree(tmp_path))
    lives = [number_of_cart(sup)]
    for apart in (True, False, True):
        wanted = tree(tmp_path, shop={"supervisor": apart})
        told = run(sup, "apply", wanted)
        assert told[-1] == "3 to add, 3 to end, 1 as they are"
        assert {"- group shop: ends", "- child shop.cart: ends"} < set(told)
        cart: Any = sup.child("shop.cart")
        assert cart.add.remote("ab").result(timeout=30) == 2
        assert run(sup, "apply", wanted) == ["nothing to change: 4 as they are"]
        keys = {child.key for child in sup.status().tree}
        assert ("supervisor/shop" in keys, "child/audit" in keys) == (apart, True)
        lives.append(number_of_cart(sup))
    assert lives == sorted(set(lives))


def test_members_are_listed_ended_started_resized_and_deleted(sup: Supervisor, family: Family, tmp_path: Path):
    run(sup, "apply", tree(tmp_path))
    top = [line.split() for line in run(sup, "children")]
    assert [line[:3] for line in top[1:3]] == [["audit", "child", "running"], ["shop", "one_for_one", "running"]]
    assert " ".join(top[-1]) == "2 members: 2 active, 1 groups, 1 children"
    shop = [line.split() for line in run(sup, "children", "shop")]
    assert [line[0] for line in shop[1:3]] == ["shop.cart", "shop.clerks"]

    before = family.pid("child/shop.cart")
    assert "running" in run(sup, "restart", "shop.cart", code=1)[0]
    assert run(sup, "restart", "child/shop.cart", "--terminate-first") == ["child/shop.cart: runs again"]
    assert family.pid("child/shop.cart") != before
    assert run(sup, "resize", "shop.clerks", "--size", "3") == ["shop.clerks: 3 members"]
    assert "heartbeat_s: 0.5" in run(sup, "spec", "shop.cart")

    assert run(sup, "terminate", "shop.cart") == ["shop.cart: ended"]
    assert family.child("child/shop.cart").status == "stopped"
    assert run(sup, "delete", "shop", "--terminate-first") == ["shop: deleted"]
    assert [line.split()[0] for line in run(sup, "children")[1:-1]] == ["audit"]
    for arguments in (("children", "shop"), ("terminate", "shop.cart"), ("delete", "nobody")):
        (missing,) = run(sup, *arguments, code=1)
        assert "not found" in missing


def test_resize_needs_a_number(sup: Supervisor):
    assert "--size, --standbys, or both" in " ".join(run(sup, "resize", "shop", code=2))
