"""A running supervisor as `experiments.driver` needs it: what Chaos Toolkit calls acts on it, with the same undos.

Chaos Toolkit goes on as soon as an action returns, so `inject` returns when its fault is over. Each fault is a run of
its own in the ledger: whoever kills Chaos Toolkit leaves nothing on.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

import ray

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from experiments.errors import PlanRefusedError
from experiments.faults.proof import prove
from experiments.hands.hands import Hands
from experiments.ledger import messages as m
from experiments.ledger.entry import Entry
from experiments.model.activities import Activity, Provider
from experiments.model.experiment import Experiment
from experiments.model.tolerance_file import DRIVER
from experiments.planning.planning import require
from experiments.running.arranging import arrange
from experiments.running.books import Books, clear_gone
from experiments.running.load import RunningLoad
from experiments.running.probing import Probes
from experiments.running.runner import Errors
from experiments.running.staging import Stage
from experiments.running.striking import Striker
from experiments.running.witness import Witness

if TYPE_CHECKING:
    from actors.runtime.settings import Settings
    from experiments.ledger.entry import Step
    from experiments.model.faults import Fault
    from supervisor import Supervisor

_PROVE_EVERY_S = 0.01
_UNDO_AGAIN_S = 0.2
_UNDO_TRIES = 20


class AttachedCluster:
    """See `experiments.driver.Cluster`.

    Args:
        sup: The supervisor; it is closed with this.
        experiment: The file that is run, for its bounds and its load; None: the defaults.
    """

    def __init__(self, sup: Supervisor, experiment: Experiment | None = None) -> None:
        self._sup = sup
        self._experiment = experiment or _bare()
        self._hands = Hands(sup.name)
        clear_gone(self._hands, sup.name)
        self._stage = Stage(sup, self._experiment.chaos.scene, build=False)
        load = self._experiment.chaos.load
        self._witness = Witness(ray.util.get_node_ip_address(), load.effects)
        submit = partial(self._stage.submit, load, self._witness)
        self._load = RunningLoad(load, submit, self._witness, prefix=f"ctk-{secrets.token_hex(4)}")
        self._probes = Probes(sup, self._load, began_us=SYSTEM_CLOCK.wall_us())
        self._on: dict[str, _Injected] = {}
        self._injected = False
        self._load.start(SYSTEM_CLOCK.now())

    def inject(self, fault: Fault) -> dict[str, Any]:
        """Inject it into what it selects, wait until it is over, and tell what was hit and how it was seen to act.

        Raises:
            ChaosError: It was refused, or is not shown to have acted.
        """
        single = self._only(fault)
        arranged = arrange(self._sup, self._hands, single, seed=None)
        plan = require(arranged.plan)
        run = f"chaostoolkit-{secrets.token_hex(3)}"
        books = Books(self._hands, self._sup.events, run=run, plan=plan)
        why = books.begin(self._sup.config.chaos.experiments_max + len(self._on))
        if why:
            raise PlanRefusedError(single.name, problems=(why,))
        self._load.enter("fault")
        self._injected = True
        striker = Striker(self._sup, self._hands, run=run, load=self._load, dependencies=arranged.hosts)
        orders = [
            m.FaultOrder(
                fault_id=f"0.1.{hit.name}", place=0, fault=fault.fault, hit=hit, lease_s=each.lease_s, how=each.how
            )
            for each in plan.faults
            for hit in each.hits
        ]
        injected = self._on[run] = _Injected(books, striker, run, orders)
        try:
            evidence = injected.inject()
        finally:
            injected.end()
            self._on.pop(run, None)
        sleep(self._experiment.chaos.settle_s)
        return {"run": run, "hits": [order.hit.name for order in orders], "evidence": evidence}

    def clear(self) -> dict[str, Any]:
        """Undo every fault that is on."""
        ended = list(self._on)
        for run in ended:
            self._on[run].end()
            self._on.pop(run, None)
        return {"ended": ended}

    def probe(self, function: str, arguments: Settings) -> Any:
        """The value of a probe. After a fault, what is measured of the load is that of all of it."""
        if function == "measured" and self._injected:
            self._load.stop(self._experiment.chaos.load.timeout_s)
        return self._probes.value(function, arguments)

    def close(self) -> None:
        """Undo every fault and let the cluster go."""
        self.clear()
        self._load.stop(0.0)
        self._witness.close()
        self._hands.close()
        self._sup.close()

    def _only(self, fault: Fault) -> Experiment:
        """The experiment with this fault alone, and its own bounds."""
        arguments = fault.model_dump(exclude_defaults=True) | {"fault": fault.fault}
        provider = Provider(type="python", module=DRIVER, func="inject", arguments=arguments)
        method = (Activity(type="action", name=fault.fault, provider=provider),)
        return self._experiment.model_copy(update={"method": method, "rollbacks": ()})


class _Injected:
    """One fault on all its targets."""

    def __init__(self, books: Books, striker: Striker, run: str, orders: list[m.FaultOrder]) -> None:
        self._books = books
        self._striker = striker
        self._run = run
        self._orders = orders
        self._ended = False

    def inject(self) -> dict[str, str]:
        """Arm, inject, wait until each is over; what saw each act."""
        evidence: dict[str, str] = {}
        for order in self._orders:
            self._write("arming", order, **self._striker.prepare(order))
            self._striker.arm(order)
            self._write("armed", order)
        before = {order.fault_id: self._striker.sight(order) for order in self._orders}
        ends_at = SYSTEM_CLOCK.now() + max((order.lease_s for order in self._orders), default=0.0)
        for order in self._orders:
            self._write("injected", order, detail=self._striker.inject(order, 1))
        while SYSTEM_CLOCK.now() < ends_at:
            for order in self._orders:
                if order.fault_id not in evidence:
                    told = prove(order.fault, order.how, before=before[order.fault_id], now=self._striker.sight(order))
                    if told:
                        evidence[order.fault_id] = told
                        self._write("proven", order, evidence=told)
            if len(evidence) == len(self._orders) and self._orders[0].fault == "crash":
                break  # there is nothing to wait for
            sleep(_PROVE_EVERY_S)
        return evidence

    def end(self) -> None:
        """Undo it; a second call does nothing."""
        if self._ended:
            return
        self._ended = True
        for order in self._orders:
            for _ in range(_UNDO_TRIES):
                try:
                    self._write("undone", order, by="runner", did=self._striker.undo(order))
                    break
                except Errors:
                    sleep(_UNDO_AGAIN_S)  # its watchdog tries, too
        self._books.write(Entry(run=self._run, step="ended", data={"verdict": "held", "why": "by Chaos Toolkit"}))

    def _write(self, step: Step, order: m.FaultOrder, **data: Any) -> None:
        entry = Entry(run=self._run, step=step, fault=order.fault_id, data=data)
        self._books.write(entry, self._striker.node_of(order.fault_id))


def _bare() -> Experiment:
    return Experiment(title="Chaos Toolkit", description="Faults that Chaos Toolkit asks for.", method=())


def attach(name: str, address: str | None = None, experiment: Experiment | None = None) -> AttachedCluster:
    """A cluster for the driver.

    Raises:
        SupervisorError: No such supervisor answers.
    """
    from supervisor.handle import Supervisor as Handle  # noqa: PLC0415 - a file that is only validated starts no Ray

    return AttachedCluster(Handle.connect(name, address=address or "auto"), experiment)
