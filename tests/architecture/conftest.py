"""The source tree as the architecture tests see it: parsed once, never imported."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("actors", "supervisor", "experiments")

PURE_NAMES = frozenset(
    "machine window score trend detector tree intensity routing backoff retry replicated checker features incident "
    "strategies simulate waiting verdict schedule batches scrub".split()
)
"""A module of one of these names decides and nothing else."""

_PURE_CLAIM = re.compile(r"\bpure\b", re.IGNORECASE)
"""A module whose docstring uses this word is held to it."""


@dataclass(frozen=True)
class SourceFile:
    """One Python file of the repository."""

    path: Path

    @property
    def place(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @property
    def is_pure(self) -> bool:
        claims = _PURE_CLAIM.search(ast.get_docstring(self.tree) or "") is not None
        return self.path.stem != "__init__" and (claims or self.path.stem in PURE_NAMES)

    @property
    def unit_test(self) -> Path:
        """Where the unit tests of this module belong."""
        return ROOT / "tests" / "unit" / self.path.parent.name / f"test_{self.path.stem}.py"

    def imports(self, ours: Collection[str]) -> set[str]:
        """The modules it imports when it runs; what stands under `if TYPE_CHECKING` is not among them.

        `from package import submodule` counts as the submodule alone when that is one of `ours`: a package's facade is
        nobody's dependency but its users'. Foreign modules are told by their top-level name.
        """
        found: set[str] = set()
        for node in _runtime_nodes(self.tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                submodules = [f"{node.module}.{alias.name}" for alias in node.names]
                found.update(name if name in ours else node.module for name in submodules)
        return {name if name in ours else name.partition(".")[0] for name in found}


@dataclass(frozen=True)
class House:
    """All Python files: the rooms' and the tests'."""

    sources: tuple[SourceFile, ...]
    tests: tuple[SourceFile, ...]

    @cached_property
    def by_module(self) -> dict[str, SourceFile]:
        return {file.module: file for file in self.sources}

    @property
    def files(self) -> tuple[SourceFile, ...]:
        return self.sources + self.tests


@pytest.fixture(scope="session")
def house() -> House:
    return House(
        sources=tuple(SourceFile(path) for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))),
        tests=tuple(SourceFile(path) for path in sorted((ROOT / "tests").rglob("*.py"))),
    )


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


def _runtime_nodes(tree: ast.AST) -> list[ast.AST]:
    nodes: list[ast.AST] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for other in node.orelse:
                nodes += [other, *_runtime_nodes(other)]
            continue
        nodes += [node, *_runtime_nodes(node)]
    return nodes
