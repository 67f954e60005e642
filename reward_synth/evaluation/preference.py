"""The preference check: does a reward rank episodes as the task does?  No training is needed.

After trajectory-preference evaluation in CARD (Sun et al. 2024, arXiv 2410.14660).  The episodes
are rolled out here, by policies that earlier candidates trained and by random actions, and judged
by the task's own fitness; only the rewards of the program in question are computed in a worker.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from reward_synth.evaluation.pool import Pool
from reward_synth.evaluation.score import random_episodes, record_episodes
from reward_synth.task import Episode, Task
from sandbox.messages import ProbeFinding, ProgramReturns, RankJob, RankResult

EPISODES = 6
"""Of each policy."""
SEED = 2_000_003
"""Far from the seeds of training and scoring."""
LEAST_GAP = 0.25
"""Of the known episodes' range of fitness: nearer ones are neither better nor worse."""
LEAST_PAIRS = 12
LEAST_AGREEMENT = 0.7
"""Share of pairs, in which the better episode must be paid more."""
SECONDS = 60.0


@dataclass(frozen=True)
class Known:
    """An episode and what the task says of it."""

    episode: Episode
    fitness: float
    success: bool | None
    by: str
    """Whose it is, in words."""


@dataclass(frozen=True)
class Ranking:
    """How a program ranks pairs of known episodes."""

    pairs: int
    agreement: float
    """Share of pairs whose better episode it pays more; ties count half."""
    wrong: tuple[int, int] | None = None
    """The better and the worse episode of the pair that it gets wrong by the most."""
    returns: list[float] = field(default_factory=list)
    components: dict[str, list[float]] = field(default_factory=dict)
    """Discounted sums for each known episode."""
    failure: str = ""


class Preference:
    """Known episodes of a task, and what programs make of them."""

    def __init__(self, task: Task, pool: Pool) -> None:
        self.task = task
        self.pool = pool
        self.known: list[Known] = []
        self.seen: dict[str, tuple[Path, ...]] = {}
        self.names = [name for name, variable in task.variables.items() if variable.public]

    def learn(self, by: str, policies: Sequence[Path]) -> None:
        """Roll policies out (random actions where there are none) and keep their episodes; once
        for each name, in place of those of other policies."""
        if self.seen.get(by) == tuple(policies):
            return
        self.known = [known for known in self.known if known.by != by]
        self.seen[by] = tuple(policies)
        episodes = [] if policies else random_episodes(self.task, EPISODES, SEED)
        for policy in policies:
            episodes += record_episodes(self.task, policy, EPISODES, SEED)
        for episode in episodes:
            success = None if self.task.success is None else bool(self.task.success(episode))
            assert self.task.fitness is not None  # or the strategy was refused
            fitness = float(self.task.fitness(episode))
            self.known.append(Known(episode, fitness, success, by))

    def pairs(self) -> list[tuple[int, int]]:
        """Pairs of known episodes, the better one first, that differ clearly.

        None before a trained policy is known: what random actions do differs by chance.
        """
        if len(self.seen) < 2:
            return []
        fitness = np.array([known.fitness for known in self.known])
        better, worse = np.nonzero(fitness[:, None] - fitness[None, :] > self.gap())
        return list(zip(better.tolist(), worse.tolist(), strict=True))

    def gap(self) -> float:
        """A difference of fitness that is clear."""
        fitness = [known.fitness for known in self.known]
        return LEAST_GAP * (max(fitness) - min(fitness)) if fitness else 0.0

    def differ(self, better: int, worse: int) -> bool:
        """Whether of two known episodes one is clearly better."""
        return self.known[better].fitness - self.known[worse].fitness > self.gap()

    def extremes(self, by: str) -> tuple[int, int]:
        """The best known episode of one source, and its worst one; where these are much the same,
        the worst one of all."""
        order = sorted(range(len(self.known)), key=lambda index: self.known[index].fitness)
        own = [index for index in order if self.known[index].by == by]
        return own[-1], own[0] if self.differ(own[-1], own[0]) else order[0]

    def rank(self, sources: Sequence[str]) -> list[Ranking]:
        """Each program's ranking; without pairs where too little is known."""
        pairs = self.pairs()
        if len(pairs) < LEAST_PAIRS or not sources:
            return [Ranking(0, 1.0) for _ in sources]

        def job(folder: str) -> RankJob:
            self.lend(Path(folder))
            return RankJob(
                task=str(self.task.folder.resolve()),
                programs=list(sources),
                folder=folder,
                time_limit=SECONDS,
            )

        outcome = self.pool.run(job)
        if not isinstance(outcome, RankResult) or len(outcome.programs) != len(sources):
            if len(sources) > 1:
                return [ranking for source in sources for ranking in self.rank([source])]
            told = getattr(outcome, "message", "the worker gave no ranking")
            return [Ranking(0, 1.0, failure=told)]
        return [self.judge(program, pairs) for program in outcome.programs]

    def judge(self, program: ProgramReturns, pairs: Sequence[tuple[int, int]]) -> Ranking:
        if program.failure or len(program.returns) != len(self.known):
            return Ranking(0, 1.0, failure=program.failure or "the worker left episodes out")
        returns = np.array(program.returns)
        better, worse = np.array(pairs).T
        margins = returns[better] - returns[worse]
        agreement = float(np.mean((margins > 0) + 0.5 * (margins == 0)))
        most = int(np.argmin(margins))
        return Ranking(
            pairs=len(pairs),
            agreement=agreement,
            wrong=pairs[most] if margins[most] <= 0 else None,
            returns=program.returns,
            components=program.components,
        )

    def findings(self, ranking: Ranking) -> list[ProbeFinding]:
        """The refusal of a program that ranks too few pairs as the task does; [] for a good one."""
        if ranking.failure:
            message = f"on recorded episodes: {ranking.failure}"
            return [ProbeFinding(level="error", code="raised", message=message)]
        if ranking.agreement >= LEAST_AGREEMENT or ranking.wrong is None:
            return []
        better, worse = ranking.wrong
        message = (
            f"it pays the better of two recorded episodes more in only {ranking.agreement:.0%} of "
            f"{ranking.pairs} pairs, so training would lead away from the task. For example: "
            f"{self.told(better, ranking)} and {self.told(worse, ranking)}"
        )
        culprit = self.culprit(ranking)
        if culprit:
            message += f". Component '{culprit}' prefers the worse one the most"
        return [ProbeFinding(level="error", code="preference", message=message)]

    def told(self, index: int, ranking: Ranking) -> str:
        """One episode in words: what it was worth, and what the program pays for it."""
        known = self.known[index]
        length = len(known.episode)
        end = "ended early after" if known.episode.terminated else "lasted"
        paid = ", ".join(
            f"{name} {values[index]:.3g}" for name, values in ranking.components.items()
        )
        return (
            f"an episode of {known.by} with fitness {known.fitness:.3g}, which {end} {length} "
            f"control steps, gets {ranking.returns[index]:.3g} ({paid})"
        )

    def culprit(self, ranking: Ranking) -> str | None:
        """The component that prefers the worse episode of the worst pair by the most."""
        assert ranking.wrong is not None
        better, worse = ranking.wrong
        margins = {n: values[better] - values[worse] for n, values in ranking.components.items()}
        name = min(margins, key=lambda n: margins[n], default=None)
        return name if name is not None and margins[name] < 0 and len(margins) > 1 else None

    def lend(self, folder: Path) -> None:
        """Put the known episodes where the job will look for them."""
        import safetensors.numpy

        from sandbox.ranking import EPISODES as FILE
        from sandbox.ranking import LENGTHS

        episodes = [known.episode for known in self.known]
        rows = {
            name: np.ascontiguousarray(np.concatenate([episode[name] for episode in episodes]))
            for name in self.names
        }
        rows["action"] = np.ascontiguousarray(np.concatenate([e.action for e in episodes]))
        rows[LENGTHS] = np.array([len(episode) for episode in episodes])
        folder.mkdir(parents=True, exist_ok=True)
        safetensors.numpy.save_file(rows, folder / FILE)
