"""Where a node keeps what experiments write down: in files beside its board."""

from __future__ import annotations

import re
from pathlib import Path

from actors.runtime.errors import ConfigError
from actors.runtime.settings import shown

_STOP = "chaos-stop-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def ledger_path(board: Path) -> Path:
    """The ledger of the node that has this board."""
    return board.with_suffix(".chaos")


def stop_flag(run: str) -> str:
    """The flag that ends one run, as a node agent knows it."""
    return f"{_STOP}{run}"


def insist_on_name(run: object) -> None:
    """Make sure that a run can have the name: files are called by it.

    Raises:
        ConfigError: It cannot.
    """
    if not isinstance(run, str) or _NAME.fullmatch(run) is None:
        problem = f"name: {shown(run)} names no run: letters, digits, '_', '.', '-', at most 100"
        raise ConfigError("run", problems=(problem,))
