"""What a training's numbers say about its reward: the cases of Eureka's tips, and five more.

The cases are judged on the curves alone; they need no baseline, so they hold for any task.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sandbox.messages import Checkpoint

FEWEST_POINTS = 5
"""For a correlation."""
NOISE = 1e-9
NEAR_ZERO_SUCCESS = 0.02
NO_RISE = 0.05
"""Rise of the fitness curve, as a share of its largest magnitude, that counts as none."""
NEAR_CONSTANT = 0.05
"""Spread of a component's means, as a share of their largest magnitude, that counts as constant."""
DOMINATING = 0.8
"""Share of the total's magnitude."""
ALIGNED = 0.9
"""Correlation with fitness."""
NEAR_CAP = 0.1
"""Distance of a component's mean from its highest value, as a share of its whole range, within
which it is saturated."""
CAP_SPREAD = 0.15
"""Standard deviation of a saturated component, as a share of its whole range, at most."""
SAME_CAP = 0.01
LEAST_REACHED = 3
"""A cap is a highest value that so many checkpoints reach, to this share of the range."""
FALL = 0.2
"""Fall of fitness from its best, as a share of the curve's spread, that is more than noise."""
STILL_NOISY = 0.6
"""Share of the first exploration noise that is left of it in the end, where it hardly shrank."""
OTHERWISE = 0.3
"""Difference of fitness with and without noise, as a share of the larger, that is much."""
EARLY = 0.5
"""Share of the full episode below which episodes end early."""


@dataclass(frozen=True)
class Tip:
    """One case that applies.  Fields that a kind does not use are None."""

    kind: Literal[
        "uneven",
        "unlearned",
        "unsuccessful",
        "gamed",
        "early",
        "inactive",
        "constant",
        "dominating",
        "saturated",
        "noisy",
    ]
    name: str | None = None
    """The component that it is about."""
    share: float | None = None
    best: float | None = None
    last: float | None = None
    pays: bool | None = None
    """The total is negative, so that ending early is what the reward asks for."""


def diagnose(
    checkpoints: Sequence[Checkpoint],
    *,
    final_length: float,
    episode_steps: int,
    final_success: float | None = None,
    final_fitness: float | None = None,
) -> list[Tip]:
    """Every case that applies, the gravest first.

    ``final_length``, ``final_success`` and ``final_fitness`` are those of the final policy, which
    does not explore.
    """
    tips: list[Tip] = []
    fitness = [c.fitness for c in checkpoints if c.fitness is not None]
    success = [c.success for c in checkpoints if c.success is not None]
    if final_success is not None:
        success.append(final_success)
    if _unlearned(fitness, success):
        tips.append(Tip("unlearned"))
    elif success and max(success) <= NEAR_ZERO_SUCCESS:
        tips.append(Tip("unsuccessful"))
    gamed = _gamed(checkpoints)
    if gamed is not None:
        tips.append(gamed)
    if final_length < EARLY * episode_steps:
        returns = [c.episode_return for c in checkpoints if c.episode_return is not None]
        tips.append(Tip("early", pays=bool(returns) and returns[-1] < 0))
    if final_fitness is not None and _noisy(checkpoints, final_fitness):
        tips.append(Tip("noisy", last=fitness[-1]))
    names = component_names(checkpoints)
    inactive = [name for name in names if never_active(checkpoints, name)]
    tips += [Tip("inactive", name=name) for name in inactive]
    names = [name for name in names if name not in inactive]
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


def never_active(checkpoints: Sequence[Checkpoint], name: str) -> bool:
    """Whether a component was zero at every step of the training."""
    found = [c.components[name] for c in checkpoints if name in c.components]
    return all(s.min == 0.0 == s.max for s in found)


def measured_with_fitness(checkpoints: Sequence[Checkpoint], name: str) -> int:
    """Checkpoints that know both a component and the fitness."""
    return sum(name in c.components and c.fitness is not None for c in checkpoints)


def fitness_correlation(checkpoints: Sequence[Checkpoint], name: str) -> float | None:
    """Pearson's correlation of a component's mean with fitness over those checkpoints.

    None below ``FEWEST_POINTS``, and where one of the two does not vary.
    """
    pairs = [
        (c.components[name].mean, c.fitness)
        for c in checkpoints
        if name in c.components and c.fitness is not None
    ]
    if len(pairs) < FEWEST_POINTS:
        return None
    means, fitness = zip(*pairs, strict=True)
    if not (_varies(means) and _varies(fitness)):
        return None
    return statistics.correlation(_scaled(means), _scaled(fitness))


def goes_with_fitness(checkpoints: Sequence[Checkpoint], name: str) -> bool:
    """Whether a component rises and falls with fitness over the training."""
    together = fitness_correlation(checkpoints, name)
    return together is not None and together >= ALIGNED


def height(checkpoints: Sequence[Checkpoint], name: str) -> float | None:
    """Where between its lowest and highest value a component's mean ends, in [0, 1]; None where
    the two are one."""
    found = [c.components[name] for c in checkpoints if name in c.components]
    lowest, highest = min(s.min for s in found), max(s.max for s in found)
    return (found[-1].mean - lowest) / (highest - lowest) if highest > lowest else None


def _varies(values: Sequence[float]) -> bool:
    """More than rounding does."""
    return max(values) - min(values) > NOISE * max(map(abs, values))


def _scaled(values: Sequence[float]) -> list[float]:
    """To at most 1, so that no square is too large or too small for a number."""
    size = max(map(abs, values))
    return [value / size for value in values]


def _saturated(checkpoints: Sequence[Checkpoint], name: str) -> bool:
    """In the end the component is all but always at a highest value that it does not pass."""
    found = [c.components[name] for c in checkpoints if name in c.components]
    last = found[-1]
    highest = max(s.max for s in found)
    whole = highest - min(s.min for s in found)
    reached = sum(highest - s.max <= SAME_CAP * whole for s in found)
    near = highest - last.mean <= NEAR_CAP * whole and last.std <= CAP_SPREAD * whole
    return highest > 0.0 and reached >= LEAST_REACHED and near  # a cost at 0 is as it should be


def _noisy(checkpoints: Sequence[Checkpoint], final_fitness: float) -> bool:
    """The noise of exploration hardly shrank, and the policy does otherwise without it."""
    noise = [c.noise for c in checkpoints if c.noise is not None]
    exploring = [c.fitness for c in checkpoints if c.fitness is not None]
    if not noise or not exploring or noise[-1] < STILL_NOISY * noise[0]:
        return False
    size = max(abs(final_fitness), abs(exploring[-1]))
    return abs(final_fitness - exploring[-1]) > OTHERWISE * size


def _unlearned(fitness: Sequence[float], success: Sequence[float]) -> bool:
    """Neither fitness nor success rises."""
    if len(fitness) < 2 or max(success, default=0.0) > NEAR_ZERO_SUCCESS:
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
