"""Files are called by a run's name: only what names a file and nothing else is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.node_agent.flags import flag_path
from actors.runtime.errors import ConfigError
from experiments.hands.places import insist_on_name, ledger_path, stop_flag


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".x", "a b", "a\0", "\u00fc", "a" * 101, None, 3])
def test_what_names_no_run_is_told(name: object) -> None:
    with pytest.raises(ConfigError, match="names no run"):
        insist_on_name(name)


def test_what_is_written_down_is_beside_the_board() -> None:
    board = Path("/b/x-1.board")
    insist_on_name("kill-worker-3fa2c1")
    assert flag_path(board, stop_flag("kill-worker-3fa2c1")) == Path("/b/x-1.chaos-stop-kill-worker-3fa2c1")
    assert ledger_path(board) == Path("/b/x-1.chaos")
