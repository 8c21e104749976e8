"""Processes that hand each other pickles say so when their versions differ."""

from __future__ import annotations

import supervisor.version as v


def test_the_same_version_is_no_fault_and_another_one_names_both() -> None:
    assert v.version_fault("0.1.0", "0.1.0") == ""
    assert v.version_fault("0.1.0", "0.2.0") == "it runs ray-supervisor 0.1.0, this process 0.2.0"
    assert "of a version that cannot tell it" in v.version_fault(None, "0.2.0")


def test_a_package_that_was_never_installed_has_an_unknown_version(monkeypatch) -> None:
    assert v.package_version()[0].isdigit()
    monkeypatch.setattr(v, "DISTRIBUTION", "no-such-distribution")
    assert v.package_version() == "unknown"
