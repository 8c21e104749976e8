"""A running supervisor as `experiments.driver` needs it: what Chaos Toolkit calls acts on it, with the same undos.

Chaos Toolkit goes on as soon as an action returns, so `inject` returns when its fault is over. Each fault is a run of
its own in ledger and log: whoever kills Chaos Toolkit leaves nothing on. A fault that is not seen to act fails its
action, and so does one that a halt, a stop, a guard or the deadline ends.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import ray

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError
from experiments.errors import PlanRefusedError
from experiments.hands.hands import Hands
from experiments.ledger import messages as m
from experiments.model.activities import Activity, Provider
from experiments.model.experiment import Experiment
from experiments.model.tolerance_file import DRIVER
from experiments.planning.planning import require
from experiments.running.afterword import tell_of_gone
from experiments.running.arranging import arrange
from experiments.running.books import Books, clear_gone
from experiments.running.load import RunningLoad
from experiments.running.probing import Probes
from experiments.running.recovery import recovered
from experiments.running.single import SingleFault
from experiments.running.staging import Stage
from experiments.running.striking import Striker
from experiments.running.watching import Watch, unfit_guards
from experiments.running.witness import Witness

if TYPE_CHECKING:
    from actors.runtime.settings import Settings
    from experiments.model.faults import Fault
    from supervisor import Supervisor


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
        with suppress(SupervisorError):  # without a log whoever comes next tells it
            tell_of_gone(sup.events, self._hands)
        self._stage = Stage(sup, self._experiment.chaos.scene, build=False)
        load = self._experiment.chaos.load
        self._witness = Witness(ray.util.get_node_ip_address(), load.effects)
        submit = partial(self._stage.submit, load, self._witness)
        prefix = f"ctk-{secrets.token_hex(4)}"
        durable = self._stage.durable(load, prefix=prefix)
        self._load = RunningLoad(load, submit, self._witness, prefix=prefix, durable=durable)
        self._probes = Probes(sup, self._load, began_us=SYSTEM_CLOCK.wall_us())
        self._on: dict[str, SingleFault] = {}
        self._injected = False
        self._family = f"chaostoolkit-{secrets.token_hex(3)}-"
        """Each step is a run of its own, and some go on in the background, as Chaos Toolkit calls it."""
        self._whole = experiment is not None
        self._began_at: float | None = None
        self._load.start(SYSTEM_CLOCK.now())

    def inject(self, fault: Fault) -> dict[str, Any]:
        """Inject it into what it selects, wait until it is over, and tell what was hit and how it was seen to act.

        Raises:
            ChaosError: It was refused, is not shown to have acted, or was ended early.
        """
        run = f"{self._family}{secrets.token_hex(3)}"
        single = self._only(fault)
        arranged = arrange(self._sup, self._hands, single, seed=None, family=self._family)
        plan = require(arranged.plan)
        unfit = unfit_guards(self._experiment.chaos.safety.guards, self._probes)
        if unfit:
            raise PlanRefusedError(single.name, problems=unfit)
        books = Books(self._hands, self._sup.events, run=run, plan=plan)
        why = books.begin(self._sup.config.chaos.experiments_max, self._family)
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
        single_fault = self._on[run] = SingleFault(
            self._sup.events,
            books,
            striker=striker,
            watch=self._watch(run),
            plan=plan,
            run=run,
            orders=orders,
            recovered=lambda look, began_us: recovered(self._sup, arranged.survey, run, look, began_us=began_us),
        )
        try:
            evidence = single_fault.perform(after_s=fault.after_s, settle_s=self._experiment.chaos.settle_s)
        finally:
            self._on.pop(run, None)
            self._hands.own.forget_stop(run)
        return {"run": run, "hits": [order.hit.name for order in orders], "evidence": evidence}

    def clear(self) -> dict[str, Any]:
        """Undo every fault that is on."""
        ended = list(self._on)
        for run in ended:
            self._on[run].end("aborted", "Chaos Toolkit cleared it")
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

    def _watch(self, run: str) -> Watch:
        """What ends a fault early. Under a file its deadline counts from the first fault, else from each."""
        now = SYSTEM_CLOCK.now()
        if self._began_at is None or not self._whole:
            self._began_at = now
        chaos = self._experiment.chaos
        deadline_at = self._began_at + chaos.deadline_s
        return Watch(self._hands, self._probes, chaos.safety.guards, run=run, deadline_at=deadline_at)

    def _only(self, fault: Fault) -> Experiment:
        """The experiment with this fault alone, and its own bounds."""
        arguments = fault.model_dump(exclude_defaults=True) | {"fault": fault.fault}
        provider = Provider(type="python", module=DRIVER, func="inject", arguments=arguments)
        method = (Activity(type="action", name=fault.fault, provider=provider),)
        return self._experiment.model_copy(update={"method": method, "rollbacks": ()})


def _bare() -> Experiment:
    return Experiment(title="Chaos Toolkit", description="Faults that Chaos Toolkit asks for.", method=())


def attach(name: str, address: str | None = None, experiment: Experiment | None = None) -> AttachedCluster:
    """A cluster for the driver.

    Raises:
        SupervisorError: No such supervisor answers.
    """
    from supervisor.handle import Supervisor as Handle  # noqa: PLC0415 - a file that is only validated starts no Ray

    return AttachedCluster(Handle.connect(name, address=address or "auto"), experiment)
