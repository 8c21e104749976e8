"""The tables of docs/chaos.md have every field, with the default and the meaning that the models have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic.fields import FieldInfo

from actors.runtime.settings import Settings
from experiments.model.experiment import Chaos, Interleaving, Limits, Load
from experiments.model.faults import FAULTS, Crash, Hang
from experiments.model.functions import PROBES, Measure
from experiments.model.safety import Guard, Safety
from experiments.model.selector import Selector
from experiments.model.tolerance_file import parse_tolerance
from experiments.model.tolerances import OURS, Equals, JsonPath, OneOf, Range, Regex, Rows
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
    "`target`": Selector,
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


def test_each_argument_of_each_fault_is_told() -> None:
    shared = [
        name for name in Crash.model_fields if name in Hang.model_fields and name not in {"fault", "target", "how"}
    ]
    told = [("each", name, Crash.model_fields[name]) for name in shared]
    told += [
        (f"`{fault}`", name, field)
        for fault, model in FAULTS.items()
        for name, field in model.model_fields.items()
        if name not in {"fault", "target", *shared}
    ]
    assert rows("Faults") == [
        f"| {fault} | `{name}` | {default_of(field)} | {field.description} |" for fault, name, field in told
    ]


def test_each_tolerance_of_the_guide_is_one() -> None:
    written = [row.split(" | ")[0].removeprefix("| ") for row in rows("Tolerances")]
    given = [text for row in written for text in re.findall(r"`([^`]+)`", row) if "the same" not in row]
    assert {type(parse_tolerance(yaml.safe_load(text), source=text)) for text in given} == {
        Equals,
        Range,
        OneOf,
        Regex,
        JsonPath,
        Rows,
    }
    assert [name for name in OURS if any(name in row for row in written)] == list(OURS)
