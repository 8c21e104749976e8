"""The supervisor that a command of chaos works on: a running one, or one of its own that ends with the command."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from actors.runtime.errors import ConfigError
from experiments.errors import HaltedError, PlanRefusedError, SafeModeError
from experiments.judging.verdict import EXIT_CODES
from experiments.model.faults import Latency, Unavailable
from experiments.model.selector import Selector
from experiments.report.numbers import printable
from experiments.report.run import INTERRUPTED
from experiments.running.archive import Archive, run_name
from experiments.running.staging import POOL_SIZE, POOL_STANDBYS, RETRY
from supervisor import Policy, Supervisor, launch
from supervisor.cli.options import Decorator, attached
from supervisor.rpc_faults import RpcDelay, RpcLoss

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from experiments.cli.ending import Ending
    from experiments.model.experiment import Experiment

REPORTS: Decorator = click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("chaos-reports"),
    show_default=True,
    help="The folder of reports.",
)
RUNNING: Decorator = click.option(
    "--name", default=None, help="A running supervisor. Left out, with no address: an embedded cluster of its own."
)
SENT, HANDLED = "CoreWorkerService.grpc_client.PushTask", "CoreWorkerService.grpc_server.PushTask"
_HEARTBEAT = {"heartbeat_s": 0.5, "hang_timeout_s": 2.0}


def is_embedded(name: str | None, address: str | None) -> bool:
    """Whether a cluster of the command's own is meant."""
    return name is None and address is None and not os.environ.get("RAY_ADDRESS")


@contextmanager
def on_supervisor(
    name: str | None,
    address: str | None,
    experiment: Experiment | None = None,
    *,
    reports: Path | None = None,
    ending: Ending | None = None,
) -> Generator[Supervisor]:
    """The supervisor that is meant.

    Args:
        name: Its name, or None.
        address: Its cluster's, or None.
        experiment: What is going to run, for an embedded one.
        reports: The folder of reports, whose settings an embedded one starts with.
        ending: Holds SIGTERM; what it means is noted also while an embedded one starts.
    """
    if not is_embedded(name, address):
        with attached(name or "default", address) as sup:
            yield sup
        return
    with (
        tempfile.TemporaryDirectory(prefix="chaos-log-") as folder,
        started(Path(folder), experiment, {} if reports is None else Archive(reports).settings(), ending) as sup,
    ):
        yield sup


@contextmanager
def started(
    folder: Path,
    experiment: Experiment | None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    ending: Ending | None = None,
) -> Generator[Supervisor]:
    """An embedded supervisor for scenes; its log is in the folder.

    Args:
        folder: Of its log.
        experiment: What is going to run.
        settings: What recommendations have changed, by subject and field.
        ending: Holds SIGTERM.
    """
    nodes = 1 if experiment is None else experiment.chaos.nodes
    if nodes > 1 and experiment is not None:
        problem = f"it needs {nodes} nodes, and an embedded cluster has one: give --name or --address"
        raise PlanRefusedError(experiment.name, problems=(problem,))
    rpc_faults = rpc_faults_of(experiment)
    config: dict[str, Any] = {
        "pools": {
            "default": {
                "size": POOL_SIZE,
                "standbys": POOL_STANDBYS,
                **heartbeat_of(settings or {}),
                **allowance_of(settings or {}),
            }
        },
        "services": _HEARTBEAT,
        "policy": Policy(retry=RETRY),
        "log": {"path": str(folder / "events.duckdb")},
        "chaos": {"ephemeral": True, "safe_mode": False},
    }
    cluster = launch.start_embedded(rpc_faults=rpc_faults)
    if ending is not None:
        ending.hold()
    try:
        with Supervisor.start(config) as sup:
            try:
                yield sup
            finally:
                sup.shutdown()
    finally:
        cluster.leave()


def heartbeat_of(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """How the pool is listened to: as a recommendation has it, and then as often as that needs."""
    hang_timeout_s = float(settings.get("pool/default", {}).get("hang_timeout_s", _HEARTBEAT["hang_timeout_s"]))
    return {"heartbeat_s": min(_HEARTBEAT["heartbeat_s"], hang_timeout_s / 4), "hang_timeout_s": hang_timeout_s}


def allowance_of(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """How many restarts the pool bears, as a recommendation has it; nothing: as many as any pool."""
    given = settings.get("pool/default", {})
    return {"intensity": int(given["intensity"])} if "intensity" in given else {}


def rpc_faults_of(experiment: Experiment | None) -> list[RpcLoss | RpcDelay]:
    """What Ray itself has to lose or delay for an experiment: calls of actors' methods, from its start on."""
    found: list[RpcLoss | RpcDelay] = []
    for _, fault in () if experiment is None else experiment.faults():
        match fault:
            case Latency(target=Selector(kind="rpc")):
                most_s = fault.delay_s + fault.jitter_s
                found.append(RpcDelay(call=HANDLED, least_s=fault.delay_s, most_s=most_s))
            case Unavailable(target=Selector(kind="rpc")):
                percent = max(1, round(fault.share * 100))
                lost = "reply_percent" if fault.lost == "reply" else "request_percent"
                found.append(RpcLoss(call=SENT, **{lost: percent}))
            case _:
                pass
    return found


@contextmanager
def told(reports: Path, experiment: str) -> Generator[None]:
    """A refusal is a verdict, too: not started; and so is an end that a person asked for: aborted.

    Build servers are told of a refusal as of any other run: it has JUnit's file in the folder of reports.

    Args:
        reports: The folder of reports.
        experiment: What is run, as it was asked for.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        why = str(error) or INTERRUPTED
        click.echo(
            f"aborted: {printable(why)} while no fault was on; reports, if one was written, are in {reports}", err=True
        )
        raise SystemExit(EXIT_CODES["aborted"]) from None
    except ConfigError as error:
        _tell_build_servers(reports, experiment, error.problems)
        raise
    except (PlanRefusedError, SafeModeError) as error:
        _refuse(reports, experiment, error, error.problems)
    except HaltedError as error:
        _refuse(reports, experiment, error, (str(error),))


def _refuse(reports: Path, experiment: str, error: Exception, problems: Sequence[str]) -> NoReturn:
    _tell_build_servers(reports, experiment, problems)
    click.echo(f"not started: {printable(str(error))}", err=True)
    raise SystemExit(EXIT_CODES["not_started"])


def _tell_build_servers(reports: Path, experiment: str, problems: Sequence[str]) -> None:
    try:
        Archive(reports).save_refused(run_name(Path(experiment).stem), experiment, problems)
    except OSError as error:
        click.echo(f"{reports}: no JUnit of this refusal can be written: {error.strerror}", err=True)


def named(text: str) -> tuple[str, int]:
    """A report and a number in it, from `REPORT#1`.

    Raises:
        ConfigError: That is none.
    """
    run, _, number = text.rpartition("#")
    if not run or not number.isdecimal():
        raise ConfigError(text, problems=("is no recommendation: give a report and a number, as kill-worker-3fa2c1#1",))
    return run, int(number)
