"""Each cell of the matrix can be written down; what is no cell is refused by its name. The guide has the same table."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from actors.runtime.errors import ConfigError
from experiments.model.faults import FAULTS, parse_fault
from experiments.model.matrix import CELLS, FaultKind, way_of
from experiments.model.selector import TargetKind
from tests.unit.model.cells import fields_of

GUIDE = Path(__file__).parents[3] / "docs" / "chaos.md"


@pytest.mark.parametrize(("kind", "way"), CELLS)
def test_each_way_is_read_for_each_target_it_fits_and_for_no_other(kind: FaultKind, way: str) -> None:
    fields = fields_of(kind, way)
    for target in get_args(TargetKind):
        asked = {**fields, "target": {"kind": target}}
        if target in CELLS[kind, way]:
            fault = parse_fault(asked, source="t")
            assert (fault.fault, fault.target.kind, way_of(kind, fault.how_fields())) == (kind, target, way)
        else:
            with pytest.raises(ConfigError) as refused:
                parse_fault(asked, source="t")
            assert f"target.kind: {kind} ({way}) cannot hit {target!r}, only " in refused.value.problems[0]


def test_every_fault_has_its_ways() -> None:
    assert {kind for kind, _ in CELLS} == set(FAULTS)


def test_the_guide_has_the_same_table() -> None:
    text = GUIDE.read_text(encoding="utf-8").partition("\n### Which fault may hit what\n")[2].partition("\n#")[0]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    columns = table[0][1:]
    assert [name.strip("`") for name in columns] == list(get_args(TargetKind))
    expected = [
        [f"{fault} `{way}`", *("x" if target in targets else "" for target in get_args(TargetKind))]
        for (fault, way), targets in CELLS.items()
    ]
    assert table[2:] == expected
