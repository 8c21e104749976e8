"""States of users' functions are kept beside those of children, and are what they were."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from actors.checkpoint.folder import FolderStore
from actors.healer.functions import FunctionCheckpoints
from actors.runtime import wire
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import CheckpointMismatchError, ConfigError


@pytest.fixture
def kept(tmp_path: Path) -> FunctionCheckpoints:
    return FunctionCheckpoints(FolderStore(str(tmp_path)), SYSTEM_CLOCK)


def test_the_newest_counts_whoever_took_it(kept: FunctionCheckpoints, tmp_path: Path):
    assert kept.newest("memory", version=1) is None
    kept.put("memory", {"facts": 1}, version=1)
    FunctionCheckpoints(FolderStore(str(tmp_path)), SYSTEM_CLOCK).put("memory", {"facts": 2}, version=1)
    found = kept.newest("memory", version=1)
    assert found is not None
    assert wire.loads(found, ()) == {"facts": 2}
    assert kept.newest("other", version=1) is None
    kept.forget("memory")
    assert kept.newest("memory", version=1) is None


def test_one_of_another_version_is_refused(kept: FunctionCheckpoints):
    kept.put("memory", "old", version=1)
    with pytest.raises(CheckpointMismatchError):
        kept.newest("memory", version=2)


def test_what_does_not_pickle_is_refused_by_name(kept: FunctionCheckpoints):
    with pytest.raises(ConfigError, match="checkpoint\\('memory'\\): state: it does not pickle"):
        kept.put("memory", threading.Lock(), version=1)
