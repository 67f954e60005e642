"""A sweep is driven to its end: several runs at once, which share the machine's workers.

Runs are threads of one process: most of what they do is to wait, for workers or for a model.  Each
is recorded as it would be alone, so a sweep that was killed goes on from the database: finished
runs stay as they are, those that had begun are resumed, the others are started.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from reward_synth import api
from reward_synth.errors import LimitError, RunError, UserError
from reward_synth.evaluation import cores, measured
from reward_synth.evaluation.legs import StoppedError
from reward_synth.redaction import HIDDEN_USER, Secrets
from reward_synth.search import Observer, Progress, RunConfig, plain
from reward_synth.search.limits import HOUR, LIMITS
from reward_synth.search.roles import OFFLINE
from reward_synth.search.trainings import WORTH_MEASURING, OpenPool, open_pool_for
from reward_synth.store import Part, Store
from reward_synth.store.sweeps import Bill, add_sweep_seconds, bill, find_sweep
from reward_synth.sweep.plan import Cell, Plan
from reward_synth.sweep.sharing import Machine
from reward_synth.sweep.states import State, Watcher, states_of
from reward_synth.task import load_task

HEARTBEAT = 5.0
"""Seconds between two records of the sweep's wall-clock: a kill loses no more of it."""
FAREWELL = 10.0
"""Seconds that runs have to end after an interruption; one may wait for its model's answer."""


def slots(plan: Plan) -> int:
    """Jobs at the same time."""
    return plan.workers or (cores() if all(c.config.device == "cpu" for c in plan.cells) else 1)


class Sweep:
    """A sweep, recorded and locked, on its way through its runs."""

    def __init__(
        self, store: Store, plan: Plan, watcher: Watcher, open_pool: OpenPool = open_pool_for
    ) -> None:
        self.store = store
        self.plan = plan
        self.watcher = watcher
        self.open_pool = open_pool
        self.slots = slots(plan)
        self.machine = Machine(self.slots, open_pool)
        self.states = states_of(store, plan)
        self.todo = deque(cell for cell in plan.cells if not self.is_over(cell))
        self.lock = threading.Lock()
        self.keeping_time = threading.Lock()
        found = find_sweep(store, plan.name)
        self.spent = 0.0 if found is None else found.seconds
        """Seconds that are recorded of the sweep."""
        self.since = time.monotonic()
        urls = [c.config.base_url for c in plan.cells if isinstance(c.config, RunConfig)]
        self.secrets = Secrets.known(texts=[url for url in urls if url])

    def is_over(self, cell: Cell) -> bool:
        """Whether a run is finished, its report included."""
        state = self.states[cell.key]
        if state.status != "finished" or state.run is None:
            return False
        return (self.store.run_folder(state.run) / "report.html").is_file()

    def to_end(self) -> Mapping[str, State]:
        """Do all runs that are not over; gives what became of each, by the cell's key.

        After Ctrl-C no worker is left, and KeyboardInterrupt is raised.
        """
        self.since = time.monotonic()
        count = self.plan.at_once or 2 * self.slots
        threads = [
            threading.Thread(target=self.work, daemon=True)
            for _ in range(min(count, len(self.todo)))
        ]
        try:
            self.measure()
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(HEARTBEAT)
                    self.keep_time()
        finally:
            self.todo.clear()
            self.machine.close()
            deadline = time.monotonic() + FAREWELL
            for thread in threads:
                if thread.ident is not None:
                    thread.join(max(0.0, deadline - time.monotonic()))
            self.keep_time()
        return self.states

    def measure(self) -> None:
        """Measure how the tasks of large searches are best laid out, while nothing else runs."""
        for folder in dict.fromkeys(c.config.task for c in self.todo if is_large(c, self.slots)):
            config = next(c.config for c in self.todo if c.config.task == folder)
            task = load_task(folder)
            with self.open_pool(task.folder, config, self.slots) as pool:
                measured(
                    task,
                    pool,
                    tell=lambda said, task=task: self.watcher.say(f"{task.name}: {said}"),
                )

    # --- one run after the other, in each thread ---------------------------------------------

    def work(self) -> None:
        while True:
            try:
                cell = self.todo.popleft()
            except IndexError:
                return
            self.turn(cell, self.outcome(cell))

    def turn(self, cell: Cell, state: State) -> None:
        self.states[cell.key] = state
        self.watcher.turned(cell, state)

    def outcome(self, cell: Cell) -> State:
        """Do a run, and say what became of it, whatever that is."""
        before = self.states[cell.key]
        run = before.run

        def hear(event: Progress) -> None:
            nonlocal run
            run = event.run
            self.watcher.progress(cell, event)

        try:
            limit = self.beyond(asks_a_model(cell))
            if limit is not None:
                return State(before.status, run, str(limit))
            self.turn(cell, State("running", run))
            done = self.carry_out(cell, run, hear)
        except StoppedError:
            return State("running", run, "interrupted")
        except LimitError as error:
            return State("stopped", run, self.secrets.hide(str(error)))
        except (UserError, RunError) as error:
            return self.failed(run, str(error))
        except Exception as error:  # one run's defect is not the others'
            return self.failed(run, f"{type(error).__name__}: {error}; this is a bug")
        return State("stopped" if done.stopped else "finished", done.id, done.stopped)

    def failed(self, run: str | None, reason: str) -> State:
        if self.machine.stopping:
            return State("running", run, "interrupted")
        return State("failed", run, " ".join(self.secrets.hide(reason).split()))

    def carry_out(self, cell: Cell, run: str | None, observer: Observer) -> api.FinishedRun:
        """Start a run, or go on with it."""
        config, pool = cell.config, self.machine.pool(cell.key)
        folder = self.store.runs_dir
        part = Part(self.plan.name, cell.key)
        if run is not None:
            return api.resume(
                run,
                runs_dir=folder,
                observer=observer,
                open_pool=pool,
                beyond=self.beyond,
                **changes(cell),
            )
        if isinstance(config, RunConfig):
            return api.search(
                config,
                runs_dir=folder,
                observer=observer,
                open_pool=pool,
                part=part,
                beyond=self.beyond,
            )
        with api.opened(folder) as store:
            trained = plain.train(config, store=store, observer=observer, open_pool=pool, part=part)
            return api.finished(store, trained)

    # --- limits ------------------------------------------------------------------------------

    def keep_time(self) -> None:
        """Record the wall-clock that has passed since the last call."""
        with self.keeping_time:
            now = time.monotonic()
            add_sweep_seconds(self.store, self.plan.name, now - self.since)
            self.spent += now - self.since
            self.since = now

    def beyond(self, asking: bool) -> LimitError | None:
        """The limit of the whole sweep that is reached; money and tokens where a model is asked."""
        plan = self.plan
        if plan.max_hours is not None:
            with self.keeping_time:
                hours = (self.spent + time.monotonic() - self.since) / HOUR
            if hours >= plan.max_hours:
                return reached("max_hours", f"{hours:.3g} h so far", hours, plan.max_hours)
        if not asking or (plan.max_cost is None and plan.max_tokens is None):
            return None
        return over_bill(plan, bill(self.store, plan.name))


def over_bill(plan: Plan, billed: Bill) -> LimitError | None:
    """The limit in money or tokens that all runs together have reached."""
    if plan.max_cost is not None:
        if billed.unpriced:
            said = f"the price of {billed.unpriced} of {billed.answers} answers is not known"
            return reached("max_cost", said, None, plan.max_cost)
        if billed.cost >= plan.max_cost:
            return reached("max_cost", f"${billed.cost:.4f} so far", billed.cost, plan.max_cost)
    if plan.max_tokens is not None and billed.tokens >= plan.max_tokens:
        said = f"{billed.tokens:,} so far"
        return reached("max_tokens", said, billed.tokens, plan.max_tokens)
    return None


def reached(limit: str, said: str, value: float | None, allowed: float) -> LimitError:
    word = "cannot be kept" if value is None else "is reached"
    message = f"the sweep's {limit} {allowed:,g} {word}: {said}"
    return LimitError(limit, message, value=value, allowed=allowed)


def asks_a_model(cell: Cell) -> bool:
    return isinstance(cell.config, RunConfig) and cell.config.models != (OFFLINE,)


def changes(cell: Cell) -> dict[str, Any]:
    """What a resumed run takes from its sweep's file: its limits, and the server's password."""
    if not isinstance(cell.config, RunConfig):
        return {}
    url = cell.config.base_url
    hidden = url is not None and f"://{HIDDEN_USER}@" in url  # as it is recorded
    limits = {name: getattr(cell.config, name) for name in LIMITS}
    return {**limits, "base_url": None if hidden else url}


def is_large(cell: Cell, workers: int) -> bool:
    """Whether a search trains so much at once that the best layout is measured for it."""
    config = cell.config
    if not isinstance(config, RunConfig) or config.steps is None:
        return False
    if config.trainer != "population" or config.device != "cpu":
        return False
    count = (config.samples + config.tune) * config.seeds
    return count > workers and count * config.steps >= WORTH_MEASURING
