"""An experiment: what is believed, what is done to it, and within which bounds. Pure.

In a file our part is the entry `ray-supervisor` of Chaos Toolkit's `extensions`; in Python it is the field `chaos`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import Field

from actors.runtime.settings import Settings
from experiments.model.activities import Activity
from experiments.model.faults import LEASE_S_MAX, Fault
from experiments.model.safety import Safety
from experiments.model.scenes import SceneName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Expected = Literal["held", "deviated", "inconclusive", "aborted", "not_started"]

EffectsMode = Literal["keyed", "raw"]
"""What a request for a key that was applied comes to: the first one's token, or another effect."""

LoadKind = Literal["tasks", "cart", "heal"]

EXTENSION = "ray-supervisor"
SCHEMA_VERSION = 1
"""Of our part of a file; a file of a later one is refused."""

SEED_END = 2**63
"""Seeds are below: the event log has them as whole numbers of 64 bits."""

_ROUNDS_LEAST = 2
"""With one pair, whatever changed between its halves would be taken for the fault's doing."""

_HYPOTHESIS = "steady-state-hypothesis"


class Interleaving(Settings):
    """Rounds without the fault among those with it, so that a slow hour is not taken for the fault's doing."""

    rounds: int = Field(default=1, ge=1, le=100, description="Pairs of a baseline and a fault, in an order drawn.")
    baseline_s: float = Field(default=3.0, gt=0, le=600, description="Length without it, seconds.")
    least_samples: int = Field(default=20, ge=5, le=1_000_000, description="Of each side; fewer say nothing.")
    least_effect_s: float = Field(
        default=0.01,
        ge=0,
        le=600,
        description="A shift of the median below this is none, seconds.",
    )
    alpha: float = Field(default=0.01, gt=0, lt=0.5, description="How often chance may fool us.")


class Load(Settings):
    """The tasks that run meanwhile, and that the history checker looks at."""

    tasks: int = Field(default=200, ge=1, le=1_000_000, description="So many in all.")
    per_s: float = Field(default=50.0, gt=0, le=100_000, description="So many a second.")
    work_s: float = Field(default=0.01, ge=0, le=60, description="Each takes so long, seconds.")
    keys: int = Field(default=0, ge=0, le=1_000_000, description="Different keys; 0: each task has its own.")
    calls: LoadKind = Field(
        default="tasks",
        description="tasks: of the pool; cart: calls of the scene's child cart, which keeps its keys; heal: calls that "
        "fail here and that healers make again, each an incident of its own.",
    )
    effects: EffectsMode = Field(
        default="keyed",
        description="keyed: the service applies a key once, and counts who asks again; raw: each request is an effect, "
        "so that a task that runs twice is doubled.",
    )
    timeout_s: float = Field(default=30.0, gt=0, le=600, description="Of each task, seconds.")
    durable_per_s: float = Field(
        default=0.0,
        ge=0,
        le=1_000,
        description="So many calls a second at most besides, each answered when the event log has it (scene kept): "
        "what was answered must be known in the end.",
    )


class Limits(Settings):
    """What must hold besides the hypothesis; left out: it is measured and told."""

    detect_s: float | None = Field(default=None, gt=0, le=600, description="Seen within, seconds.")
    recover_s: float | None = Field(default=None, gt=0, le=600, description="Mended within, seconds.")
    error_share: float | None = Field(default=None, ge=0, le=1, description="Tasks that may fail, of those attempted.")
    budget: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share of the error budget of its own tasks that may burn.",
    )
    objective: float = Field(default=0.99, gt=0, lt=1, description="The share of tasks that is to succeed: the budget.")
    latency_shift_s: float | None = Field(
        default=None, ge=0, le=600, description="The median may rise by this, seconds."
    )


class Chaos(Settings):
    """What is ours of an experiment."""

    schema_version: int = Field(
        default=SCHEMA_VERSION, ge=1, le=SCHEMA_VERSION, description="Of this part of the file."
    )
    seed: int = Field(default=0, ge=0, lt=SEED_END, description="Decides every draw: the same gives the same plan.")
    lease_s: float = Field(default=10.0, gt=0, le=LEASE_S_MAX, description="Each fault is undone after it, seconds.")
    deadline_s: float = Field(default=60.0, gt=0, le=3_600, description="All of it ends within so long, seconds.")
    settle_s: float = Field(
        default=2.0,
        ge=0,
        le=600,
        description="Between the last undo and the last probes, seconds.",
    )
    during_every_s: float = Field(default=1.0, gt=0, le=60, description="Probes are asked so often meanwhile, seconds.")
    during_must_hold: bool = Field(
        default=False, description="The hypothesis must hold while the fault is on, not just afterwards."
    )
    safety: Safety = Field(default=Safety(), description="Its bounds.")
    interleaving: Interleaving = Field(default=Interleaving(), description="Its baseline.")
    load: Load = Field(default=Load(), description="What runs meanwhile.")
    limits: Limits = Field(default=Limits(), description="What must hold besides.")
    scene: SceneName = Field(default="pool", description="What an embedded cluster runs for it.")
    nodes: int = Field(default=1, ge=1, le=100, description="Nodes that it needs.")
    expected: Expected = Field(default="held", description="The verdict that it is to come to.")
    shows: str = Field(default="", max_length=2_000, description="What it must show.")


class Hypothesis(Settings):
    """What is believed to hold before, during and after."""

    title: str = Field(min_length=1, max_length=1_000, description="The belief, in words.")
    probes: tuple[Activity, ...] = Field(default=(), max_length=100, description="How it is looked at.")


class Experiment(Settings):
    """One experiment; `load_experiment` reads it from a file."""

    version: str = Field(default="1.0.0", max_length=32, description="Of Chaos Toolkit's format.")
    title: str = Field(min_length=1, max_length=1_000, description="What it is about.")
    description: str = Field(min_length=1, max_length=10_000, description="Why it is done.")
    tags: tuple[str, ...] = Field(default=(), max_length=100, description="Words to find it by.")
    contributions: dict[str, Any] = Field(default_factory=dict[str, Any], description="Chaos Toolkit's.")
    configuration: dict[str, Any] = Field(default_factory=dict[str, Any], description="Chaos Toolkit's.")
    secrets: dict[str, Any] = Field(default_factory=dict[str, Any], description="Chaos Toolkit's.")
    runtime: dict[str, Any] = Field(default_factory=dict[str, Any], description="Chaos Toolkit's.")
    controls: tuple[dict[str, Any], ...] = Field(default=(), description="Chaos Toolkit's.")
    hypothesis: Hypothesis | None = Field(default=None, description="In a file: steady-state-hypothesis.")
    method: tuple[Activity, ...] = Field(max_length=100, description="What is done, in this order.")
    rollbacks: tuple[Activity, ...] = Field(default=(), max_length=100, description="What is done in the end.")
    extensions: tuple[dict[str, Any], ...] = Field(default=(), description="Other tools' parts.")
    chaos: Chaos = Field(default=Chaos(), description="In a file: the extension ray-supervisor.")

    @property
    def name(self) -> str:
        """The title as a word, for files and rows."""
        word = "".join(letter if letter.isalnum() else "-" for letter in self.title.lower())
        return "-".join(part for part in word.split("-") if part)[:63] or "experiment"

    def faults(self) -> tuple[tuple[int, Fault], ...]:
        """What it injects, with the place of each in the method."""
        found = ((place, activity.fault()) for place, activity in enumerate(self.method))
        return tuple((place, fault) for place, fault in found if fault is not None)

    @classmethod
    def problems_across(cls, data: object) -> tuple[str, ...]:
        """See `Settings`: what is wrong in the functions' arguments and tolerances, and latency without a baseline."""
        if not isinstance(data, dict):
            return ()
        fields = cast("dict[str, Any]", data)
        hypothesis: Any = fields.get("hypothesis")
        probes: Any = (
            cast("dict[str, Any]", hypothesis).get("probes", ())
            if isinstance(hypothesis, dict)
            else getattr(hypothesis, "probes", ())
        )
        places = [("hypothesis.probes", probes), *((name, fields.get(name, ())) for name in ("method", "rollbacks"))]
        found = [problem for place, steps in places for problem in _step_problems(place, steps)]
        chaos = _own_part(fields.get("chaos"))
        return (*found, *(() if chaos is None else (*_latency_problems(chaos), *_durable_problems(chaos, places))))


def _step_problems(place: str, steps: object) -> list[str]:
    if not isinstance(steps, list | tuple):
        return []
    found: list[str] = []
    for number, step in enumerate(cast("Sequence[Any]", steps)):
        activity = step if isinstance(step, Activity) else _activity(step)
        if activity is None:
            continue
        found += [f"{place}[{number}].{problem}" for problem in activity.problems()]
        if place == "hypothesis.probes" and activity.tolerance is None:
            found.append(f"{place}[{number}].tolerance: is missing, and must be given")
        if place == "hypothesis.probes" and activity.type != "probe":
            found.append(f"{place}[{number}].type: a hypothesis looks and does not act; only probes belong here")
    return found


def _own_part(chaos: object) -> Chaos | None:
    """Our part, if its own fields are right: what is wrong with those is told by the model."""
    try:
        return chaos if isinstance(chaos, Chaos) else Chaos.model_validate(chaos or {})
    except ValueError:
        return None


def _latency_problems(given: Chaos) -> list[str]:
    if given.limits.latency_shift_s is None or given.interleaving.rounds >= _ROUNDS_LEAST:
        return []
    why = "is judged against rounds without the fault among those with it"
    return [f"chaos.limits.latency_shift_s: {why}; give interleaving: {{rounds: {_ROUNDS_LEAST}}} at least"]


def _durable_problems(given: Chaos, places: Sequence[tuple[str, Any]]) -> list[str]:
    """What asks for forgotten calls where none is made: as a guard it would be silent only when faults are on."""
    if given.load.durable_per_s:
        return []
    asked = [
        f"chaos.safety.guards[{number}].arguments"
        for number, guard in enumerate(given.safety.guards)
        if (guard.probe, guard.arguments.get("measure")) == ("measured", "forgotten")
    ]
    for place, steps in places:
        for number, step in enumerate(cast("Sequence[Any]", steps) if isinstance(steps, list | tuple) else ()):
            activity = step if isinstance(step, Activity) else _activity(step)
            if activity is not None and activity.is_ours and activity.provider.arguments.get("measure") == "forgotten":
                asked.append(f"{place}[{number}].provider.arguments")
    why = "no durable call is made that could be forgotten; give load.durable_per_s"
    return [f"{path}.measure: {why}" for path in asked]


def _activity(step: object) -> Activity | None:
    """The step, if its own fields are right: what is wrong with those is told by the model."""
    try:
        return Activity.model_validate(step)
    except ValueError:
        return None


def from_file(data: Mapping[str, Any]) -> dict[str, Any]:
    """A file's mapping with the names that Python has for its parts."""
    fields = dict(data)
    if _HYPOTHESIS in fields:
        fields["hypothesis"] = fields.pop(_HYPOTHESIS)
    extensions: Any = fields.get("extensions")
    if isinstance(extensions, list):
        entries = cast("list[Any]", extensions)
        ours = [entry for entry in entries if isinstance(entry, dict) and entry.get("name") == EXTENSION]
        if ours:
            fields["extensions"] = [entry for entry in entries if entry not in ours]
            fields["chaos"] = {key: value for key, value in cast("dict[str, Any]", ours[0]).items() if key != "name"}
    return fields
