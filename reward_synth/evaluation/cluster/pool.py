"""The driver's side: a pool whose jobs go to nodes, and are done again where a node is lost.

A job counts when its whole answer has come, and not before, so that a node that is lost in the
middle leaves nothing behind here; as a job's numbers depend on its seeds alone, doing it again
gives what the lost node would have given.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from reward_synth.errors import UserError
from reward_synth.evaluation.cluster.connection import RUNNING, demands, join, places
from reward_synth.evaluation.cluster.keeper import CHECKPOINT, FILE, OUTCOME, PROBLEM, Keeper
from reward_synth.evaluation.cluster.shipping import installed, packed
from reward_synth.evaluation.dispatch import EVENTS
from reward_synth.evaluation.pool import OnCheckpoint
from reward_synth.evaluation.workspace import Workspace, remove_tree, writing_here
from sandbox.confinement import IN_REACH, Isolation
from sandbox.messages import AnyJob, AnyResult, Checkpoint, Failure, Outcome

LOG = logging.getLogger("reward_synth")
MOST_LOSSES = 3
"""A job that has lost so many nodes may be what ends them."""
STOP_SECONDS = 10.0
"""For the workers to end in good order, before they are killed."""
LOOK_SECONDS = 0.5
WITHOUT_NODES_SECONDS = 600.0
"""How long jobs wait while the cluster has no node that takes them."""
STOPPED = "the workers of this run were stopped"

Actor = Any
"""A :class:`Keeper` on a node, as Ray hands it out."""


class LostError(Exception):
    """A node was lost, or the process on it that keeps its worker."""


class ClusterPool:
    """A :class:`~reward_synth.evaluation.pool.Pool` of workers on the nodes of a Ray cluster.

    There are as many as the cluster has room for, and at most ``workers``; each stays on its node
    from job to job.  Less isolation than "strict" is warned of every time.
    Raises UserError where there is no Ray or no cluster, or the cluster has no room.
    """

    def __init__(
        self,
        task_folder: Path,
        workers: int,
        isolation: Isolation = "strict",
        kinds: Sequence[str] = ("probe", "train"),
        device: str = "cpu",
        address: str = RUNNING,
    ) -> None:
        join(address, device)
        import ray

        if isolation != "strict":
            LOG.warning("--isolation %s: %s", isolation, IN_REACH[isolation])
        self.size = min(workers, places(device))
        if self.size == 0:
            raise UserError(
                f"no node of the Ray cluster has what one job takes ({spelt(demands(device))}); "
                "start nodes that have (`ray start --num-cpus=… --memory=…`)"
            )
        self.workspace = Workspace()
        self.root = self.workspace.root
        archive = ray.put(packed(task_folder))
        name = task_folder.resolve().name
        self.preparation = (archive, name, isolation, tuple(kinds), device, installed())
        self.make: Callable[[], Actor] = (
            ray.remote(Keeper).options(**demands(device), max_restarts=0, max_concurrency=2).remote
        )
        """A keeper hears that it is to stop while it does a job."""
        self.idle: queue.Queue[Actor | UserError] = queue.Queue()
        self.lock = threading.Lock()
        self.keepers: set[Actor] = set()
        """Those that are ready, whether they do a job or not."""
        self.wanted = self.size
        """Keepers that are to be started."""
        self.over = False
        self.count = 0
        self.hiring = threading.Thread(target=self.hire, daemon=True)
        self.hiring.start()

    def __enter__(self) -> "ClusterPool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Workers start as soon as the pool is opened."""

    # --- keepers -------------------------------------------------------------------------------

    def hire(self) -> None:
        """Start keepers where the cluster has room, until the pool is closed.

        One that is not ready yet waits for room: for a node in the place of one that was lost.
        """
        import ray

        starting: dict[Any, Actor] = {}
        while not self.over:
            with self.lock:
                wanted, self.wanted = self.wanted, 0
            for _ in range(wanted):
                keeper = self.make()
                starting[keeper.prepare.remote(*self.preparation)] = keeper
            if not starting:
                time.sleep(LOOK_SECONDS)
                continue
            ready, _ = ray.wait(list(starting), timeout=LOOK_SECONDS)
            for said in ready:
                self.admit(starting.pop(said), said)
        for keeper in starting.values():
            ray.kill(keeper)

    def admit(self, keeper: Actor, said: Any) -> None:
        """Let a keeper that has prepared itself take jobs, or tell what is wrong with its node."""
        import ray
        from ray.exceptions import RayActorError, RayTaskError

        try:
            problem = ray.get(said)
        except RayTaskError as error:
            problem = str(error.cause)
        except RayActorError as error:
            cause = unimportable(error)
            if not cause:  # it was lost
                with self.lock:
                    self.wanted += 1
                return
            problem = f"it cannot load RewardSynth ({cause}); install it on every machine"
        if problem:
            ray.kill(keeper)
            self.idle.put(UserError(f"a node of the Ray cluster cannot be used: {problem}"))
            return
        with self.lock:
            self.keepers.add(keeper)
        self.idle.put(keeper)

    def dismiss(self, keeper: Actor) -> None:
        """Have another one in the place of a keeper that was lost."""
        import ray

        ray.kill(keeper)  # it may be out of reach only, and still at work
        with self.lock:
            self.keepers.discard(keeper)
            self.wanted += 1

    def keeper(self) -> Actor:
        """One that is idle, waiting for it if need be.  Raises UserError where none can be had."""
        since = time.monotonic()
        while not self.over:
            try:
                found = self.idle.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                if self.keepers:
                    since = time.monotonic()
                if time.monotonic() - since > WITHOUT_NODES_SECONDS:
                    raise UserError(
                        "the Ray cluster has had no node for a job for "
                        f"{WITHOUT_NODES_SECONDS / 60:.0f} minutes; start nodes, and go on with "
                        "--resume"
                    ) from None
                continue
            if isinstance(found, UserError):
                self.idle.put(found)  # for the others that wait
                raise found
            return found
        raise UserError(STOPPED)

    # --- jobs ----------------------------------------------------------------------------------

    def run(
        self,
        job: Callable[[str], AnyJob],
        *,
        on_checkpoint: OnCheckpoint | None = None,
        collect: Callable[[AnyResult, Path], None] | None = None,
    ) -> Outcome:
        """Run ``job(folder)`` on an idle worker of some node, on another one if that is lost.

        The folder is one of this machine, whose files go to the node and come back.
        """
        with self.lock:
            self.count += 1
            folder = self.root / "cluster" / "jobs" / f"{self.count:06d}"
        keeper = self.keeper()
        try:
            try:
                order = job(str(folder))
                files = {path.name: path.read_bytes() for path in folder.glob("*")}
            except BaseException:
                self.idle.put(keeper)
                raise
            outcome, left = self.have_done(keeper, order, files, on_checkpoint)
            if collect is not None and not isinstance(outcome, Failure):
                with writing_here(folder):
                    folder.mkdir(parents=True, exist_ok=True)
                    for name, content in left.items():
                        (folder / name).write_bytes(content)
                collect(outcome, folder)
            return outcome
        finally:
            remove_tree(folder)

    def have_done(
        self,
        keeper: Actor,
        order: AnyJob,
        files: Mapping[str, bytes],
        on_checkpoint: OnCheckpoint | None,
    ) -> tuple[Outcome, dict[str, bytes]]:
        """The outcome of a job and the files that it left, from the first node that gives it."""
        for losses in range(1, MOST_LOSSES + 1):
            try:
                answer = self.follow(keeper, order, files, on_checkpoint)
            except LostError as error:
                if self.over:
                    return Failure(reason="killed", message=STOPPED), {}
                self.dismiss(keeper)
                if losses == MOST_LOSSES:
                    break
                LOG.warning("a node was lost (%s); what it did is done again elsewhere", error)
                keeper = self.keeper()
            else:
                self.idle.put(keeper)
                return answer
        message = f"whatever node took it was lost, {MOST_LOSSES} times"
        return Failure(reason="killed", message=message), {}

    def follow(
        self,
        keeper: Actor,
        order: AnyJob,
        files: Mapping[str, bytes],
        on_checkpoint: OnCheckpoint | None,
    ) -> tuple[Outcome, dict[str, bytes]]:
        """Hear a keeper's answer to its end.

        Raises LostError where it does not come, and UserError for what is wrong with the node.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        left: dict[str, bytes] = {}
        try:
            stream = keeper.run.options(num_returns="streaming").remote(
                order.model_dump_json(), dict(files)
            )
            for piece in stream:
                what, content = ray.get(piece)
                if what == PROBLEM:
                    raise UserError(f"a node of the Ray cluster: {content.decode()}")
                if what.startswith(FILE):
                    left[Path(what.removeprefix(FILE)).name] = content
                elif what == OUTCOME:
                    outcome = EVENTS.validate_json(content)
                    assert not isinstance(outcome, Checkpoint)
                    return outcome, left
                elif what == CHECKPOINT and on_checkpoint is not None:
                    event = EVENTS.validate_json(content)
                    assert isinstance(event, Checkpoint)
                    on_checkpoint(event)
        except RayTaskError:
            raise  # a defect, not a loss
        except RayError as error:
            raise LostError(type(error).__name__) from error
        raise LostError("its answer had no end")

    # --- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """End every worker, in good order where it is within reach; jobs under way fail."""
        import ray

        if self.over:
            return
        self.over = True
        self.hiring.join()
        with self.lock:
            keepers, self.keepers = self.keepers, set()
        if ray.is_initialized():
            ends = [keeper.stop.remote() for keeper in keepers]
            if ends:
                ray.wait(ends, num_returns=len(ends), timeout=STOP_SECONDS)
            for keeper in keepers:
                ray.kill(keeper)
        self.workspace.close()


def spelt(taken: Mapping[str, float]) -> str:
    """What a job takes, in words."""
    gpus = f", {taken['num_gpus']:.0f} GPU" if taken["num_gpus"] else ""
    return f"{taken['num_cpus']:.0f} CPU{gpus}, {taken['memory'] / 2**30:.0f} GiB of memory"


def unimportable(error: Exception) -> str:
    """The line of an actor's death that tells of a module that its node lacks; empty for none."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line.startswith("ModuleNotFoundError")), "")
