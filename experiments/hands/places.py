"""Where a node keeps what experiments write down: in files beside its board."""

from __future__ import annotations

from pathlib import Path

HALT = "chaos-halt"
"""The halt flag, as a node agent knows it."""

_STOP = "chaos-stop-"


def ledger_path(board: Path) -> Path:
    """The ledger of the node that has this board."""
    return board.with_suffix(".chaos")


def halt_path(board: Path) -> Path:
    """The halt flag of that node."""
    return board.with_name(f"{board.stem}.{HALT}")


def stop_path(board: Path, run: str) -> Path:
    """The flag that ends one run whose runner is on that node."""
    return board.with_name(f"{board.stem}.{stop_flag(run)}")


def stop_flag(run: str) -> str:
    """The flag that ends one run, as a node agent knows it."""
    return f"{_STOP}{run}"
