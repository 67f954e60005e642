"""What a training tells of itself: one record for each policy that learns."""

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from reward_synth.task import Episode, Task
from sandbox.failures import NonFiniteError
from sandbox.messages import Checkpoint, MemberResult, Message, TrainingReport
from sandbox.statistics import ComponentRecorder


def peak_memory() -> int:
    """Bytes that this process held at most, what it shares with its parent included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class TrainingRecord:
    """Sums up one policy's training, and emits a checkpoint each ``interval`` environment steps."""

    def __init__(
        self,
        member: str,
        task: Task,
        environments: int,
        interval: float,
        emit: Callable[[Message], None],
        noise: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.member = member
        self.task = task
        self.interval = interval
        self.emit = emit
        self.noise = noise
        self.components = ComponentRecorder()
        self.returns = np.zeros(environments)
        self.step = 0
        self.begun = time.perf_counter()
        self.checkpoints: list[Checkpoint] = []
        self.clear()

    def clear(self) -> None:
        """Forget the episodes since the last checkpoint."""
        self.fitness: list[float] = []
        self.success: list[float] = []
        self.lengths: list[float] = []
        self.episode_returns: list[float] = []

    def take(
        self,
        episodes: Sequence[Episode],
        total: np.ndarray,
        components: Mapping[str, np.ndarray],
        done: np.ndarray,
    ) -> None:
        """Take in ``T`` steps: rewards and ends ``(T, E)``, components ``(T × E,)``, and the
        episodes that ended, in the order of their ends."""
        self.step += total.size
        self.components.record(components)
        for episode in episodes:
            self.end(episode)
        for reward, ended in zip(total, done, strict=True):
            self.returns += reward
            if ended.any():
                self.episode_returns.extend(self.returns[ended].tolist())
                self.returns[ended] = 0.0
        if self.step >= self.interval * (len(self.checkpoints) + 1):
            self.checkpoint()

    def end(self, episode: Episode) -> None:
        if self.task.fitness is not None:
            fitness = float(self.task.fitness(episode))
            if not np.isfinite(fitness):
                where = self.task.folder / "task.py"
                raise NonFiniteError(
                    f"the fitness of an episode is {fitness}; mend fitness in {where}"
                )
            self.fitness.append(fitness)
        self.lengths.append(float(len(episode)))
        if self.task.success is not None:
            self.success.append(float(self.task.success(episode)))

    def checkpoint(self) -> None:
        """Sum up what happened since the checkpoint before, and tell the orchestrator."""

        def mean(values: list[float]) -> float | None:
            return float(np.mean(values)) if values else None

        checkpoint = Checkpoint(
            member=self.member,
            step=self.step,
            seconds=self.seconds,
            episodes=len(self.lengths),
            episode_return=mean(self.episode_returns),
            episode_length=mean(self.lengths),
            fitness=mean(self.fitness),
            success=mean(self.success),
            noise=self.noise(),
            components=self.components.summarise(),
        )
        self.clear()
        self.checkpoints.append(checkpoint)
        self.emit(checkpoint)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.begun

    def result(self, seed: int, environments: int, trainer: str, note: str = "") -> MemberResult:
        """What became of the training; ends with a checkpoint."""
        if self.step > (self.checkpoints[-1].step if self.checkpoints else 0):
            self.checkpoint()
        report = TrainingReport(
            seed=seed,
            steps=self.step,
            seconds=self.seconds,
            environments=environments,
            trainer=trainer,
            checkpoints=self.checkpoints,
            note=note,
        )
        return MemberResult(member=self.member, report=report)

    # --- between two legs ------------------------------------------------------------------

    def snapshot(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Arrays, and what can stand in JSON."""
        arrays = {f"components.{n}": np.concatenate(v) for n, v in self.components.values.items()}
        return arrays | {"returns": self.returns}, {
            "step": self.step,
            "seconds": self.seconds,
            "checkpoints": [checkpoint.model_dump() for checkpoint in self.checkpoints],
            "fitness": self.fitness,
            "success": self.success,
            "lengths": self.lengths,
            "episode_returns": self.episode_returns,
        }

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        """Go on from a snapshot."""
        self.returns = arrays["returns"].copy()
        self.components.values = {
            name.removeprefix("components."): [array]
            for name, array in arrays.items()
            if name.startswith("components.")
        }
        self.step = facts["step"]
        self.begun = time.perf_counter() - facts["seconds"]
        self.checkpoints = [Checkpoint.model_validate(c) for c in facts["checkpoints"]]
        self.fitness, self.success = list(facts["fitness"]), list(facts["success"])
        self.lengths = list(facts["lengths"])
        self.episode_returns = list(facts["episode_returns"])
