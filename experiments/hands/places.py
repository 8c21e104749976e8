"""Where a node keeps what experiments write down: beside its board."""

from __future__ import annotations

from pathlib import Path

from actors.runtime.node import board_path

_STOP = "chaos-stop-"


def ledger_path(supervisor: str) -> Path:
    """The ledger of this node."""
    return board_path(supervisor).with_suffix(".chaos")


def halt_path(supervisor: str) -> Path:
    """The halt flag of this node."""
    board = board_path(supervisor)
    return board.with_name(f"{board.stem}.{HALT}")


def stop_path(supervisor: str, run: str) -> Path:
    """The flag that ends one run whose runner is on this node."""
    board = board_path(supervisor)
    return board.with_name(f"{board.stem}.{stop_flag(run)}")


HALT = "chaos-halt"
"""The halt flag, as a node agent knows it."""


def stop_flag(run: str) -> str:
    """The flag that ends one run, as a node agent knows it."""
    return f"{_STOP}{run}"
