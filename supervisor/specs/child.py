"""`ChildSpec` and `PoolSpec`: one supervised object of a user's class, or many alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from actors.breaker.names import breaker_name
from actors.checkpoint.files import url_problem
from actors.recovery.retry import Retry
from actors.runtime import wire
from actors.runtime.settings import Settings, shown
from supervisor.children.settings import CALL_RETRY
from supervisor.specs.backoff import BackoffSettings
from supervisor.specs.classes import (
    STATE_HOOKS,
    class_problem,
    constructor_problem,
    find_class,
    hook_problem,
    method_problem,
    version_problem,
)
from supervisor.specs.naming import name_problem
from supervisor.specs.problems import problem, require

RestartType = Literal["permanent", "transient", "temporary"]
EndingTime = float | Literal["brutal_kill", "infinity"]

STANDBYS_MAX = 100
SIZE_MAX = 10_000


def named_exceptions(value: object) -> object:
    """A `Retry` given as a mapping may name its exceptions by text: `ConnectionError`, `shop.errors:Busy`."""
    if not isinstance(value, Mapping) or "on" not in value:
        return value
    given: Any = value["on"]
    listed: Any = given if isinstance(given, list | tuple) else [given]
    return {**value, "on": tuple(_exception(item) for item in listed)}


def _exception(item: object) -> object:
    if not isinstance(item, str):
        return item
    found = find_class(item if ":" in item else f"builtins:{item}", base=BaseException)
    if isinstance(found, str):
        raise problem(f"on: {found}")
    return found


RetryField = Annotated[Retry, BeforeValidator(named_exceptions)]


class WorkSpec(Settings):
    """What children and pools have in common. Fields are checked in their order: later ones look at earlier ones."""

    name: str = Field(description="Unique in its group: letters, digits, '_', '-'.")
    cls: Any = Field(description="The class, or text like 'package.module:Class'.")
    args: tuple[Any, ...] = Field(default=(), description="Positional arguments of its constructor.")
    kwargs: dict[str, Any] = Field(
        default_factory=dict[str, Any], validate_default=True, description="Keyword arguments of its constructor."
    )
    restart: RestartType = Field(
        default="permanent",
        description="Which ends are followed by a restart: all, those that are not normal, or none.",
    )
    standbys: int = Field(default=0, ge=0, le=STANDBYS_MAX, description="Constructed and idle, ready to step in.")
    checkpoint: float | Literal["each_call"] | None = Field(
        default=None,
        description='Seconds between two checkpoints, or "each_call": no answer before its state is replicated.',
    )
    checkpoint_path: str | None = Field(
        default=None, min_length=1, description="A folder's path or fsspec URL; left out, the event log."
    )
    heartbeat_s: float = Field(default=1.0, gt=0, le=3600, description="Time between two questions, in seconds.")
    hang_timeout_s: float = Field(
        default=3.0, gt=0, le=3600, validate_default=True, description="Silence that makes it suspect, in seconds."
    )
    shutdown_s: EndingTime = Field(
        default=5.0, description='How long it may take to stop when asked, seconds; "brutal_kill", or "infinity".'
    )
    start_timeout_s: float = Field(
        default=60.0, gt=0, le=86_400, description="How long a start may take until it answers, in seconds."
    )
    num_cpus: float = Field(default=0.0, ge=0, description="CPUs that it reserves with Ray's scheduler.")
    num_gpus: float = Field(default=0.0, ge=0, description="GPUs that it reserves.")
    resources: dict[str, float] = Field(
        default_factory=dict[str, float], description="Custom resources of Ray that it reserves, by name."
    )
    max_concurrency: int = Field(default=1, ge=1, le=1000, description="Calls that may run in it at a time.")
    methods: dict[str, RetryField] = Field(
        default_factory=dict[str, Retry], description="How single methods are tried again, by name."
    )
    retry: RetryField = Field(
        default=CALL_RETRY, description="How all the other methods are tried again: when the child is lost."
    )
    breaker: str | None = Field(
        default=None,
        description="The circuit breaker that calls of its methods pass where they are made.",
    )
    share_process: bool | str = Field(
        default=False,
        description="Live in one process with those of its group that say the same: true, or a word of your own.",
    )
    node: str | None = Field(default=None, min_length=1, description="The node's id or IP address; it runs only there.")

    @field_validator("name")
    @classmethod
    def _name_fits(cls, name: str) -> str:
        require(name_problem(name))
        return name

    @field_validator("cls", mode="before")
    @classmethod
    def _is_class(cls, value: object) -> object:
        found = find_class(value) if isinstance(value, str) else value
        require(found if isinstance(found, str) else class_problem(found))
        require(hook_problem(found, ("health", "stop")))  # pyright: ignore[reportArgumentType] - it is a class by now
        return found

    @field_validator("args", mode="before")
    @classmethod
    def _sequence(cls, value: object) -> object:
        if isinstance(value, str | bytes):
            raise problem(f"{shown(value)} is a text, not a list of arguments; did you mean [{shown(value)}]?")
        return value

    @field_validator("args")
    @classmethod
    def _args_travel(cls, args: tuple[Any, ...]) -> tuple[Any, ...]:
        for number, value in enumerate(args):
            require(_travel_problem(value, f"argument {number}"))
        return args

    @field_validator("kwargs")
    @classmethod
    def _arguments_fit(cls, kwargs: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        for name, value in kwargs.items():
            require(_travel_problem(value, f"argument {name!r}"))
        if "cls" in info.data and "args" in info.data:
            require(constructor_problem(info.data["cls"], info.data["args"], kwargs))
        return kwargs

    @field_validator("standbys")
    @classmethod
    def _standbys_step_in(cls, standbys: int, info: ValidationInfo) -> int:
        if standbys and info.data.get("restart") == "temporary":
            raise problem(
                f"{standbys} given, but nothing follows the end of what is temporary; "
                "leave it 0, or choose restart: permanent or transient"
            )
        return standbys

    @field_validator("checkpoint", mode="before")
    @classmethod
    def _checkpoint_fits(cls, value: object, info: ValidationInfo) -> object:
        if value is None:
            return None
        if value != "each_call" and not _is_number(value, above=0.0):
            raise problem(f'{shown(value)} is none of: null, a number of seconds above 0, "each_call"')
        if "cls" in info.data:
            require(hook_problem(info.data["cls"], STATE_HOOKS))
            require(version_problem(info.data["cls"]))
        return value

    @field_validator("checkpoint_path")
    @classmethod
    def _path_leads_somewhere(cls, path: str | None, info: ValidationInfo) -> str | None:
        if path is None:
            return None
        if "checkpoint" in info.data and info.data["checkpoint"] is None:
            raise problem(
                f"{shown(path)} given, but nothing is kept there without checkpoint; "
                'set checkpoint to a number of seconds or "each_call", or leave the path out'
            )
        reason = url_problem(path)
        require(f"{shown(path)}: {reason}" if reason else "")
        return path

    @field_validator("hang_timeout_s")
    @classmethod
    def _outlasts_the_heartbeat(cls, hang_timeout_s: float, info: ValidationInfo) -> float:
        heartbeat_s = info.data.get("heartbeat_s")
        if heartbeat_s is not None and hang_timeout_s <= heartbeat_s:
            raise problem(f"{hang_timeout_s:g} given, but it must be larger than heartbeat_s, which is {heartbeat_s:g}")
        return hang_timeout_s

    @field_validator("shutdown_s", mode="before")
    @classmethod
    def _shutdown_fits(cls, value: object) -> object:
        if value not in ("brutal_kill", "infinity") and not _is_number(value, above=-1e-9):
            raise problem(f'{shown(value)} is none of: a number of seconds from 0, "brutal_kill", "infinity"')
        return value

    @field_validator("resources")
    @classmethod
    def _resources_fit(cls, resources: dict[str, float]) -> dict[str, float]:
        for name, amount in resources.items():
            if name in ("CPU", "GPU"):
                raise problem(f"{name} is not given here but as num_{name.lower()}s")
            if amount < 0:
                raise problem(f"{name}: {amount:g} is less than 0")
        return resources

    @field_validator("breaker")
    @classmethod
    def _names_a_breaker(cls, name: str | None) -> str | None:
        return breaker_name(name)

    @field_validator("methods")
    @classmethod
    def _methods_exist(cls, methods: dict[str, Retry], info: ValidationInfo) -> dict[str, Retry]:
        if "cls" in info.data:
            require("; ".join(filter(None, (method_problem(info.data["cls"], name) for name in methods))))
        return methods

    @field_validator("share_process", mode="before")
    @classmethod
    def _sharing_fits(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, bool):
            if not isinstance(value, str) or name_problem(value):
                raise problem(f"{shown(value)} is none of: true, false, a word of letters, digits, '_', '-'")
        reserved = [name for name in ("num_cpus", "num_gpus", "resources") if info.data.get(name)]
        if value is not False and reserved:
            raise problem(
                f"{shown(value)} given, but {' and '.join(reserved)} would be reserved for the whole process, whose "
                "members come and go; leave them out, or let it have a process of its own"
            )
        return value


class ChildSpec(WorkSpec):
    """A child: one object of a user's class, in one place at a time.

    Example: `ChildSpec(name="cart", cls=Cart, args=("eu",), standbys=1, checkpoint="each_call")`
    """

    significant: bool = Field(default=False, description="Whether its own end may end its group (auto_shutdown).")

    @field_validator("significant")
    @classmethod
    def _significant_may_end(cls, significant: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic calls it
        if significant and info.data.get("restart") == "permanent":
            raise problem("true, but what is permanent always comes back; choose restart: transient or temporary")
        return significant

    @field_validator("share_process")
    @classmethod
    def _stands_by_elsewhere(cls, share_process: object, info: ValidationInfo) -> object:
        standbys = info.data.get("standbys")
        if share_process is not False and standbys:
            raise problem(
                f"{shown(share_process)} given, but a standby in the same process would die with it; "
                f"leave standbys 0, not {standbys}, or let it have a process of its own"
            )
        return share_process


class PoolSpec(WorkSpec):
    """A pool: `size` objects of one class, any of which answers; `standbys` is for all of them together."""

    size: int = Field(ge=0, le=SIZE_MAX, description="How many there are.")
    intensity: int | None = Field(
        default=None, ge=0, description="Restarts within period_s that are borne; left out, one for each member."
    )
    period_s: float = Field(
        default=5.0, gt=0, le=86_400, description="The window in which restarts are counted, in seconds."
    )
    backoff: BackoffSettings | None = Field(default=None, description="Waits between restarts; left out, the defaults.")


def _is_number(value: object, *, above: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value) and value > above
    except OverflowError:
        return False


def _travel_problem(value: object, what: str) -> str:
    try:
        wire.dumps(value)
    except Exception as error:  # noqa: BLE001 - a value's own pickling may fail in any way
        return (
            f"{what}, {shown(value)}, cannot travel to another process ({type(error).__name__}: {error}); "
            "create open files, locks and sockets in the constructor"
        )
    return ""
