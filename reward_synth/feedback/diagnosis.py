"""What a training's numbers say about its reward: the cases of Eureka's tips, and three more.

The cases are judged on the curves alone; they need no baseline, so they hold for any task.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sandbox.messages import Checkpoint

NEAR_ZERO_SUCCESS = 0.02
NO_RISE = 0.05
"""Rise of the fitness curve, as a share of its largest magnitude, that counts as none."""
NEAR_CONSTANT = 0.05
"""Spread of a component's means, as a share of their largest magnitude, that counts as constant."""
DOMINATING = 0.8
"""Share of the total's magnitude."""
AT_ITS_CAP = 0.05
"""Distance of a component's mean from its highest value, and its standard deviation, as shares of
its whole range, within which it is saturated."""
SAME_CAP = 0.01
LEAST_REACHED = 3
"""A cap is a highest value that so many checkpoints reach, to this share of the range."""
FALL = 0.2
"""Fall of fitness from its best, as a share of the curve's spread, that is more than noise."""
EARLY = 0.5
"""Share of the full episode below which episodes end early."""


@dataclass(frozen=True)
class Tip:
    """One case that applies.  Fields that a kind does not use are None."""

    kind: Literal["unlearned", "constant", "dominating", "saturated", "gamed", "early"]
    name: str | None = None
    """The component that it is about."""
    share: float | None = None
    best: float | None = None
    last: float | None = None
    pays: bool | None = None
    """The total is negative, so that ending early is what the reward asks for."""


def diagnose(
    checkpoints: Sequence[Checkpoint], *, final_length: float, episode_steps: int
) -> list[Tip]:
    """Every case that applies, the gravest first."""
    tips: list[Tip] = []
    fitness = [c.fitness for c in checkpoints if c.fitness is not None]
    success = [c.success for c in checkpoints if c.success is not None]
    if _unlearned(fitness, success):
        tips.append(Tip("unlearned"))
    gamed = _gamed(checkpoints)
    if gamed is not None:
        tips.append(gamed)
    if final_length < EARLY * episode_steps:
        returns = [c.episode_return for c in checkpoints if c.episode_return is not None]
        tips.append(Tip("early", pays=bool(returns) and returns[-1] < 0))
    names = component_names(checkpoints)
    for name in names:
        means = [c.components[name].mean for c in checkpoints if name in c.components]
        if len(means) > 1 and max(means) - min(means) <= NEAR_CONSTANT * max(map(abs, means)):
            tips.append(Tip("constant", name=name))
    for name in names:
        share = mean_share(checkpoints, name)
        if len(names) > 1 and share > DOMINATING:
            tips.append(Tip("dominating", name=name, share=share))
    constant = {tip.name for tip in tips if tip.kind == "constant"}
    for name in names:
        if name not in constant and _saturated(checkpoints, name):
            tips.append(Tip("saturated", name=name))
    return tips


def warnings(checkpoints: Sequence[Checkpoint]) -> list[str]:
    """In words for people: what suggests that a reward is won without doing the task."""
    told: list[str] = []
    for tip in diagnose(checkpoints, final_length=1.0, episode_steps=1):
        if tip.kind == "gamed":
            told.append(
                f"Fitness fell from {tip.best:.3g} to {tip.last:.3g} while the return went on "
                "rising: the reward is collected without doing the task."
            )
        elif tip.kind == "dominating":
            told.append(f"Component {tip.name!r} carries {tip.share:.0%} of the reward.")
        elif tip.kind == "saturated":
            told.append(f"Component {tip.name!r} has reached its cap: nothing is left to gain.")
    return told


def component_names(checkpoints: Sequence[Checkpoint]) -> list[str]:
    """Names of all components, in the order of the program."""
    return list(dict.fromkeys(name for c in checkpoints for name in c.components))


def mean_share(checkpoints: Sequence[Checkpoint], name: str) -> float:
    """Mean over training of a component's share of the total's magnitude, in [0, 1]."""
    shares = [c.components[name].share for c in checkpoints if name in c.components]
    return sum(shares) / len(shares)


def _saturated(checkpoints: Sequence[Checkpoint], name: str) -> bool:
    """In the end the component is all but always at a highest value that it does not pass."""
    statistics = [c.components[name] for c in checkpoints if name in c.components]
    last = statistics[-1]
    highest = max(s.max for s in statistics)
    whole = highest - min(s.min for s in statistics)
    reached = sum(highest - s.max <= SAME_CAP * whole for s in statistics)
    margin = AT_ITS_CAP * whole
    return reached >= LEAST_REACHED and highest - last.mean <= margin and last.std <= margin


def _unlearned(fitness: Sequence[float], success: Sequence[float]) -> bool:
    if success:
        return max(success) <= NEAR_ZERO_SUCCESS
    if len(fitness) < 2:
        return False
    size = max(map(abs, fitness))
    return max(fitness[1:]) - fitness[0] <= NO_RISE * size


def _gamed(checkpoints: Sequence[Checkpoint]) -> Tip | None:
    """Proxy up, true measure down: the signature of a reward that is gamed (Karwowski 2023)."""
    curve = [
        (c.episode_return, c.fitness)
        for c in checkpoints
        if c.episode_return is not None and c.fitness is not None
    ]
    if len(curve) < 3:
        return None
    returns, fitness = zip(*curve, strict=True)
    best = max(range(len(fitness)), key=fitness.__getitem__)
    spread = max(fitness) - min(fitness)
    fell = spread > 0 and fitness[best] - fitness[-1] > FALL * spread
    rose = returns[-1] - returns[best] > FALL * (max(returns) - min(returns))
    return Tip("gamed", best=fitness[best], last=fitness[-1]) if fell and rose else None
