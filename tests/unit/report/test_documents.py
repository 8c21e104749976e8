"""What machines read: a journal in Chaos Toolkit's shape, and JUnit XML; and what people read in a terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from chaoslib.experiment import ensure_experiment_is_valid
from rich.console import Console

from experiments.judging.verdict import EXIT_CODES
from experiments.planning.inventory import Inventory
from experiments.planning.planning import make_plan
from experiments.report.compare import compare_runs
from experiments.report.journal import journal
from experiments.report.junit import junit
from experiments.report.numbers import moment_iso, moment_text, number_text, printable
from experiments.report.terminal import campaign_text, comparison_text, plan_text, summary
from experiments.scheduling.campaign import SeededRun, conclude
from tests.unit.report.scene import experiment, hostile, mended, report

COUNTED = ("tests", "failures", "errors", "skipped")


def shown(what: Any, width: int) -> str:
    file = StringIO()
    Console(file=file, width=width, force_terminal=False).print(what)
    assert all(len(line) <= width for line in file.getvalue().splitlines())
    return file.getvalue()


def test_the_journal_has_chaos_toolkit_s_shape() -> None:
    data = json.loads(json.dumps(journal(report())))
    ensure_experiment_is_valid(data["experiment"])
    assert (data["status"], data["deviated"], data["duration"]) == ("completed", True, 18.0)
    assert data["steady_states"]["before"]["steady_state_met"]
    assert [len(data["steady_states"][when]["probes"]) for when in ("before", "after")] == [3, 3]
    assert len(data["steady_states"]["during"]) == 1
    (run,) = data["run"]
    assert run["activity"]["provider"]["func"] == "inject"
    assert run["status"] == "succeeded"
    (own,) = data["extensions"]
    assert own["exit_code"] == EXIT_CODES["deviated"]
    assert own["recommendations"][0]["command"] == "supervisor chaos apply r1#1"
    assert own["plan_digest"] == report().plan.digest()


def checked_junit(text: str) -> ET.Element:
    """The rules of the JUnit schema that build servers use: names, counts that add up, one outcome a case."""
    root = ET.fromstring(text)
    assert root.tag == "testsuites"
    (suite,) = root.findall("testsuite")
    cases = suite.findall("testcase")
    outcomes = [[child.tag for child in case] for case in cases]
    assert all(len(each) <= 1 and set(each) <= {"failure", "error", "skipped"} for each in outcomes)
    assert all({"classname", "name", "time"} <= set(case.attrib) for case in cases)
    assert len({(case.attrib["classname"], case.attrib["name"]) for case in cases}) == len(cases)
    flat = [tag for each in outcomes for tag in each]
    counts = [len(cases), flat.count("failure"), flat.count("error"), flat.count("skipped")]
    for element in (root, suite):
        assert [int(element.attrib[name]) for name in COUNTED] == counts
    return root


def test_junit_tells_the_verdict_the_probes_and_the_faults() -> None:
    root = checked_junit(junit(report()))
    assert [root.attrib[name] for name in COUNTED] == ["11", "1", "0", "0"]
    failure = root.find(".//testcase/failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("time to recover is 5 s")
    assert checked_junit(junit(mended())).attrib["failures"] == "0"


@pytest.mark.parametrize(
    ("kind", "tag"), [("inconclusive", "error"), ("aborted", "error"), ("not_started", "error"), ("held", None)]
)
def test_junit_of_other_verdicts(kind: Any, tag: str | None) -> None:
    whole = mended()
    root = checked_junit(junit(replace(whole, verdict=replace(whole.verdict, kind=kind))))
    case = root.find(".//testcase")
    assert case is not None
    assert [child.tag for child in case] == ([] if tag is None else [tag])


def test_junit_of_a_fault_that_is_lost_or_unproven() -> None:
    whole = report()
    fault = whole.seen.faults[0]
    for changed, tag in ((replace(fault, loss="gone"), "failure"), (replace(fault, evidence=""), "error")):
        root = checked_junit(junit(replace(whole, seen=replace(whole.seen, faults=(changed,)))))
        assert root.findall(".//testcase")[-1][0].tag == tag
    lasting = replace(fault, loss="it goes on until the cluster ends", lasts=True)
    root = checked_junit(junit(replace(whole, seen=replace(whole.seen, faults=(lasting,)))))
    assert not list(root.findall(".//testcase")[-1]), "nothing has failed"


@pytest.mark.parametrize("kind", EXIT_CODES)
def test_a_build_is_red_where_the_exit_code_is_not_0(kind: Any) -> None:
    whole = mended()
    unsure = replace(whole.seen.probes[0], when="during", held=None, name="a probe that nobody could ask")
    seen = replace(whole.seen, probes=(*whole.seen.probes, unsure, replace(unsure, held=False)))
    root = checked_junit(junit(replace(whole, seen=seen, verdict=replace(whole.verdict, kind=kind))))
    assert bool(int(root.attrib["failures"]) + int(root.attrib["errors"])) == (EXIT_CODES[kind] != 0)
    assert root.attrib["skipped"] == "2", "what need not hold meanwhile, and nothing else"


def test_hostile_texts_are_texts_everywhere() -> None:
    checked_junit(junit(hostile()))
    json.dumps(journal(hostile()))
    assert "<script>" in shown(summary(hostile()), 80)


@pytest.mark.parametrize("width", [30, 60, 120])
def test_a_terminal_of_any_width(width: int) -> None:
    runs = [
        SeededRun(seed=2**60, verdict="deviated", reasons=("why",), run="kill-1"),
        SeededRun(seed=1, verdict="held", score=9.0),
    ]
    assert "DEVIATED" in shown(summary(report()), width)
    assert "gone" in shown(comparison_text(compare_runs(report(), mended())), width)
    campaign = shown(campaign_text(conclude(runs)), width)
    assert "1 deviated, 1 held" in campaign
    assert "(kill-1)" in campaign, "whose report is to be looked at"
    assert "crash" in shown(plan_text(report().plan), width)


def test_a_dry_run_tells_why_it_may_not_be_carried_out() -> None:
    plan = make_plan(experiment(), Inventory(targets=(), embedded=True))
    assert "refused (selection)" in shown(plan_text(plan), 100)


def test_numbers_and_moments() -> None:
    told = [number_text(value) for value in (None, 0.0, 1234567.0, 0.000123, 3.14159, 1e20)]
    assert told == ["not measured", "0", "1,234,567", "0.000123", "3.14", "1e+20"]
    assert moment_text(0) == "1970-01-01 00:00:00 UTC"
    assert moment_iso(1_500_000) == "1970-01-01T00:00:01.500000+00:00"


def test_what_a_terminal_is_told_is_one_line_and_moves_nothing() -> None:
    assert printable("Parser Error\n\tat \x1b[31m'x'") == "Parser Error  at \ufffd[31m'x'"
