"""What a training report says about how to change the program that it is about."""

from dataclasses import dataclass

from reward_synth.llm.offline.grammar import Genome
from sandbox.messages import TrainingReport

DOMINANT = 0.95
"""Share of the sum above which one component drowns the others."""
STANDING = 0.6
"""Share above which a bonus for mere survival pays for standing still through whole episodes."""
NEGLIGIBLE = 0.005
SHORT = 0.6
"""Episodes shorter than this part of the full length end too early."""


@dataclass(frozen=True)
class Guidance:
    """Advice for the next mutation."""

    dominant: str | None = None
    """The component to weigh down."""
    idle: tuple[str, ...] = ()
    """Components that never change or hardly count: to be dropped or weighed up."""
    ends_early: bool = False
    """Policies end their episodes before their time: reward staying alive and in posture."""
    rising: bool = False
    """Fitness still grew at the end: the direction is right, change little."""


def guide(genome: Genome, report: TrainingReport | None, episode_steps: int) -> Guidance:
    """Read ``report`` for ``genome``; no report gives no advice."""
    if report is None or not report.checkpoints:
        return Guidance()
    last = report.checkpoints[-1]
    summed = {term.name: term for term in genome.summed}
    seen = {name: last.components[name] for name in summed if name in last.components}
    total = sum(component.share for component in seen.values())
    shares = {name: component.share / total for name, component in seen.items() if total > 0.0}
    dominant = next((name for name, share in shares.items() if share > DOMINANT), None)
    idle = tuple(
        name
        for name, component in seen.items()
        if not summed[name].constant
        and (component.max - component.min <= 1e-9 or shares.get(name, 1.0) < NEGLIGIBLE)
    )
    lengths = [c.episode_length for c in report.checkpoints if c.episode_length is not None]
    curve = [c.fitness for c in report.checkpoints if c.fitness is not None]
    ends_early = bool(lengths) and lengths[-1] < SHORT * episode_steps
    if dominant is None and lengths and not ends_early:
        bonuses = [name for name, share in shares.items() if share > STANDING]
        dominant = next((name for name in bonuses if summed[name].constant), None)
    return Guidance(
        dominant if len(summed) > 1 else None,
        idle,
        ends_early,
        _rising(curve),
    )


def _rising(curve: list[float]) -> bool:
    """Whether the last fifth of a fitness curve is well above what came before."""
    if len(curve) < 5:
        return False
    tail = len(curve) // 5
    late, before = sum(curve[-tail:]) / tail, max(curve[:-tail])
    return late > before
