"""What cannot be taken back is said to be so, everywhere in the same words."""

from __future__ import annotations

from typing import get_args

from experiments.model.lasting import LASTING_KINDS, LASTS
from experiments.model.selector import EPHEMERAL_KINDS, TargetKind


def test_what_lasts_as_long_as_the_cluster_may_be_hit_only_where_that_is_thrown_away() -> None:
    assert LASTING_KINDS <= set(get_args(TargetKind))
    assert LASTING_KINDS <= EPHEMERAL_KINDS
    assert "until the cluster ends" in LASTS
