"""What the ledger comes to: who goes on, and what may be on."""

from __future__ import annotations

from typing import Any

from experiments.ledger.entry import Entry, Step
from experiments.ledger.standing import RunStanding, fold, left_on, refusal, touched_by_others, what_is_on
from experiments.planning.ground import Ground


def entry(step: Step, fault: str = "", run: str = "r1", **data: Any) -> Entry:
    return Entry(run=run, step=step, fault=fault, data=data)


def test_a_fault_may_be_on_from_its_arming_to_its_undoing() -> None:
    entries = [
        entry("planned", experiment="e", targets=["a", "b"], holds=["node n"], runner=[1, 2, "h"]),
        entry("arming", "f", undo={"kind": "nothing"}),
        entry("armed", "f"),
        entry("injected", "f"),
        entry("proven", "f"),
        entry("observing"),
        entry("undone", "f"),
        entry("ended", verdict="held"),
    ]
    on = [bool(fold(entries[:number])["r1"].active) for number in range(1, len(entries) + 1)]
    assert on == [False, True, True, True, True, True, False, False]
    run = fold(entries)["r1"]
    assert (run.experiment, run.ground, run.runner) == ("e", Ground(names=("a", "b"), holds=("node n",)), (1, 2, "h"))
    assert (run.injected, run.proven, run.verdict, run.goes_on) == ({"f"}, {"f"}, "held", False)
    assert left_on(fold(entries[:3]).values()) == {("r1", "f"): {"undo": {"kind": "nothing"}}}


def test_what_is_kept_on_is_told_until_it_is_undone() -> None:
    entries = [entry("arming", "f"), entry("kept_on", "f", reason="no"), entry("ended", verdict="aborted")]
    assert fold(entries)["r1"].kept_on == {"f": "no"}
    assert left_on(fold(entries).values()) == {("r1", "f"): {}}
    assert left_on(fold([*entries, entry("undone", "f")]).values()) == {}


def test_what_its_watchdog_has_undone_is_not_kept_on_whoever_says_so_later() -> None:
    """The watchdog writes between a runner's last attempt and its word that the fault stays."""
    entries = [entry("arming", "f"), entry("undone", "f", by="watchdog"), entry("kept_on", "f", reason="no")]
    run = fold(entries)["r1"]
    assert (run.active, run.kept_on) == ({}, {})
    again = fold([*entries, entry("arming", "f", detail="injected after its lease"), entry("kept_on", "f", reason="r")])
    assert again["r1"].kept_on == {"f": "r"}


def test_why_another_may_not_start() -> None:
    one = RunStanding(run="r1", ground=Ground(names=("a",)))
    over = RunStanding(run="r0", ground=Ground(names=("b",)), verdict="held")
    assert refusal([one, over], ground=Ground(names=("b",)), limit=2) == ""
    assert refusal([one], ground=Ground(names=("a",)), limit=2) == "a are hit by r1 already"
    assert "these do: r1" in refusal([one, over], ground=Ground(names=("b",)), limit=1)


def test_all_runs_of_an_experiment_are_one_to_the_limit_and_several_to_what_they_hit() -> None:
    others = [RunStanding(run=run, ground=Ground(names=(run,))) for run in ("ours-1", "ours-2", "theirs-1")]
    asked: dict[str, Any] = {"ground": Ground(names=("b",)), "name": "ours-3"}
    assert refusal(others, limit=2, family="ours-", **asked) == ""
    assert refusal(others, limit=1, family="ours-", **asked).endswith("these do: theirs-1")
    assert "ours-1, ours-2, theirs-1" in refusal(others, limit=2, **asked)
    assert "hit by ours-2" in refusal(others, limit=2, family="ours-", ground=Ground(names=("ours-2",)))


def test_what_was_left_to_end_with_the_cluster_is_on_and_cannot_be_undone() -> None:
    lasting: dict[str, Any] = {"undo": {"kind": "outlast", "pid": 3, "started_ticks": 4, "path": ""}}
    entries = [entry("arming", "f", **lasting), entry("arming", "g", undo={"kind": "kill"})]
    run = fold(entries)["r1"]
    assert (set(run.undoable), run.lasting) == ({"f", "g"}, ()), "nobody has said so far that it stays"
    run = fold([*entries, entry("kept_on", "f", reason="r"), entry("kept_on", "g", reason="r")])["r1"]
    assert (set(run.undoable), run.lasting, set(run.active)) == ({"g"}, ("f",), {"f", "g"})


def test_a_name_is_given_once() -> None:
    """Of two runs of one name nobody could tell which goes on, and which has left something on."""
    over = RunStanding(run="nightly", verdict="held")
    told = refusal([over], ground=Ground(), limit=1, name="nightly")
    assert told == "there was a run named 'nightly' already; give each a name of its own"
    assert refusal([over], ground=Ground(), limit=1, name="nightly-2") == ""


def test_whom_others_touched_is_known_until_they_had_ended() -> None:
    def entry_at(step: Step, run: str, at_us: int, **data: Any) -> Entry:
        return Entry(run=run, step=step, data=data, at_us=at_us)

    runs = fold(
        [
            entry_at("planned", "before", 1, targets=["a"]),
            entry_at("ended", "before", 4, verdict="held"),
            entry_at("planned", "meanwhile", 2, targets=["b"]),
            entry_at("planned", "mine", 5, targets=["c"]),
            entry_at("ended", "meanwhile", 6, verdict="held"),
            entry_at("planned", "still", 7, targets=["d"]),
        ]
    ).values()
    assert touched_by_others(runs, "mine", since_us=5) == {"b", "d"}


def test_what_is_on_says_which_runs_go_on_and_which_faults_may_be_on() -> None:
    over = [entry("planned", run="over"), entry("arming", "f", run="over"), entry("undone", "f", run="over")]
    kept = [entry("planned", run="kept"), entry("arming", "f", run="kept"), entry("ended", run="kept")]
    mine = [entry("planned"), entry("arming", "f"), entry("proven", "f")]
    undone = [entry("arming", "g"), entry("undone", "g")]
    entries = [*over, *kept, *mine, *undone, entry("ended", run="over")]
    assert what_is_on(entries) == [*kept, *mine]
    assert left_on(fold(what_is_on(entries)).values()) == left_on(fold(entries).values())
