"""The tables of docs/chaos.md have every field, with the default and the meaning that the models have."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from pydantic.fields import FieldInfo

from actors.runtime.settings import Settings
from experiments.model.experiment import Chaos, Interleaving, Limits, Load
from experiments.model.functions import PROBES, Measure
from experiments.model.safety import Guard, Safety
from experiments.scheduling.schedule import Schedule
from supervisor.chaos_settings import BlastRadius, BusinessHours

GUIDE = Path(__file__).parents[3] / "docs" / "chaos.md"
TABLES: dict[str, type[Settings]] = {
    "`ray-supervisor`": Chaos,
    "`load`": Load,
    "`limits`": Limits,
    "`interleaving`": Interleaving,
    "`safety`": Safety,
    "`safety.blast_radius`": BlastRadius,
    "`safety.hours`": BusinessHours,
    "`safety.guards`": Guard,
    "`schedules`": Schedule,
}


def rows(heading: str) -> list[str]:
    """The rows of the table under a heading, without its two first lines."""
    text = GUIDE.read_text(encoding="utf-8").partition(f"\n### {heading}\n")[2]
    section = text.partition("\n#")[0]
    return [line for line in section.splitlines() if line.startswith("| ")][1:]


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    default: object = field.get_default(call_default_factory=True)
    return "see below" if isinstance(default, Settings) else f"`{default!r}`"


@pytest.mark.parametrize("heading", TABLES)
def test_each_field_is_told_with_its_default_and_meaning(heading: str) -> None:
    fields = TABLES[heading].model_fields
    assert rows(heading) == [
        f"| `{name}` | {default_of(field)} | {field.description} |" for name, field in fields.items()
    ]


def test_each_probe_is_told_with_what_it_takes_and_gives() -> None:
    found = rows("Probes")
    assert len(found) == len(PROBES)
    for row, (name, (model, yields)) in zip(found, PROBES.items(), strict=True):
        assert row.startswith(f"| `{name}` | ")
        assert f" | {yields}: " in row
        for argument, field in model.model_fields.items():
            default: object = None if field.is_required() else field.get_default(call_default_factory=True)
            assert (f"`{argument}`" if field.is_required() else f"`{argument}={default!r}`") in row


def test_each_measure_is_told() -> None:
    assert [row.split("`")[1] for row in rows("Measures")] == list(get_args(Measure))
