"""The verdict as JUnit XML, for build servers: a test case for the verdict, and one for each probe and each fault.

A build is red exactly where the command's exit code is not 0. `failure` says that what was believed is wrong; `error`
that nobody can tell, which no build server counts as passed, as it does what was skipped. `skipped` is left for what
the experiment allows not to hold.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from experiments.report.numbers import moment_iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from experiments.report.run import RunReport

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Letters that XML 1.0 has no place for, not even escaped."""

_Case = tuple[str, str, float, str, str, str]
"""Class, name, seconds; and of one that is not passed: how (failure, error, skipped), in a word, in words."""


def junit(report: RunReport) -> str:
    """The XML text."""
    cases = [_verdict(report), *_probes(report), *_faults(report)]
    about = {"run": report.run, "seed": str(report.plan.seed), "plan": report.plan.digest()}
    return _document(cases, about, title=report.experiment.title, began_us=report.started_us, lasted_s=report.lasted_s)


def junit_of_refused(run: str, title: str, reasons: Sequence[str], *, at_us: int) -> str:
    """The XML text of a run that never began, and of which there is no report.

    Args:
        run: What its folder is called.
        title: What was to be run.
        reasons: Why it was not.
        at_us: When that was, wall-clock microseconds.
    """
    case = ("verdict", title, 0.0, "error", "not_started", "; ".join(reasons))
    return _document([case], {"run": run}, title=title, began_us=at_us, lasted_s=0.0)


def _document(cases: Sequence[_Case], about: Mapping[str, str], *, title: str, began_us: int, lasted_s: float) -> str:
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case[3] == "failure" for case in cases)),
        "errors": str(sum(case[3] == "error" for case in cases)),
        "skipped": str(sum(case[3] == "skipped" for case in cases)),
        "time": f"{lasted_s:.3f}",
    }
    root = ET.Element("testsuites", {"name": "chaos", **counts})
    named = {"name": _clean(title), "timestamp": moment_iso(began_us), **counts}
    suite = ET.SubElement(root, "testsuite", named)
    properties = ET.SubElement(suite, "properties")
    for name, value in about.items():
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    for group, name, seconds, how, word, words in cases:
        case = ET.SubElement(
            suite, "testcase", {"classname": _clean(group), "name": _clean(name), "time": f"{seconds:.3f}"}
        )
        if how:
            found = ET.SubElement(case, how, {"message": _clean(words)})
            if how != "skipped":
                found.set("type", word)
                found.text = _clean(words)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _verdict(report: RunReport) -> _Case:
    kind = report.verdict.kind
    how = {"held": "", "deviated": "failure"}.get(kind, "error")
    words = "; ".join(report.verdict.reasons)
    return ("verdict", report.experiment.name, report.lasted_s, how, kind, words)


def _probes(report: RunReport) -> Iterator[_Case]:
    """Meanwhile it need not hold, nor be known, unless the experiment says so: then it is told as skipped."""
    must = report.experiment.chaos.during_must_hold
    for number, probe in enumerate(report.seen.probes):
        how = "" if probe.held else "failure" if probe.held is False else "error"
        if how and probe.when == "during" and not must:
            how = "skipped"
        yield (f"hypothesis.{probe.when}", f"{probe.name} ({number})", 0.0, how, "tolerance", probe.why)


def _faults(report: RunReport) -> Iterator[_Case]:
    for fault in report.seen.faults:
        seconds = fault.recover_s or 0.0
        if fault.loss and not fault.lasts:
            yield ("fault", fault.fault_id, seconds, "failure", "loss", fault.loss)
        elif not fault.evidence:
            yield ("fault", fault.fault_id, seconds, "error", "unproven", "nothing but its injector saw it act")
        else:
            yield ("fault", fault.fault_id, seconds, "", "", "")


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
