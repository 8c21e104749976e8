"""A trace as a tree for the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.tree import Tree

_MARKS = {"ok": "[green]ok[/]", "error": "[red]error[/]"}


def trace_tree(rows: Sequence[dict[str, Any]]) -> Tree:
    """The spans of one trace as a tree.

    Args:
        rows: Rows of the view `spans`, of one trace, at least one.
    """
    known = {row["span_id"] for row in rows}
    children: dict[str | None, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["started_at"]):
        parent = row["parent_span_id"] if row["parent_span_id"] in known else None
        children.setdefault(parent, []).append(row)
    tree = Tree(f"trace {rows[0]['trace_id']}")
    _grow(tree, None, children)
    return tree


def _grow(tree: Tree, parent: str | None, children: dict[str | None, list[dict[str, Any]]]) -> None:
    for row in children.get(parent, ()):
        lasted = (row["ended_at"] - row["started_at"]).total_seconds() * 1000
        mark = _MARKS.get(str(row["status"]).lower(), escape(str(row["status"])))
        branch = tree.add(f"{escape(row['name'])}  {mark}  {lasted:.1f} ms{_why(row)}")
        _grow(branch, row["span_id"], children)


def _why(row: dict[str, Any]) -> str:
    """What an attempt ended with, and where it ran."""
    told: dict[str, Any] = json.loads(row.get("attributes") or "{}")
    parts = [str(told[name]) for name in ("error_type", "worker") if told.get(name)]
    return f"  [dim]{escape(', '.join(parts))}[/]" if parts else ""
