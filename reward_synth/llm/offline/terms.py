"""Terms with sensible constants for one task: what composition and variation draw from.

Scales come from random episodes, so that a signal divided by its scale is about 1 there; weights
then say directly how much a term matters against the others.  PPO's trainer normalises the
reward, so only these ratios count.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reward_synth.llm.offline.grammar import (
    VECTOR_FORMS,
    Form,
    Shape,
    Signal,
    Term,
    rounded,
)
from reward_synth.llm.offline.reading import Goal, Reading
from reward_synth.llm.offline.survey import Survey
from reward_synth.llm.offline.words import quantity

NAMES = {
    "travel": "speed",
    "rotate": "turn",
    "raise": "height",
    "upright": "upright",
    "reach": "closeness",
    "centre": "centred",
    "still": "still",
    "lean": "level",
    "height": "standing",
}
"""What a goal's component is called."""

EFFORT_SHARE = 0.02
"""Effort penalty of random actions, as a share of the main term at its scale."""
SATURATION = 3.0
"""A saturating term levels off at this many random spreads, unless the documentation says."""


@dataclass(frozen=True)
class Terms:
    """Makes terms for one task from its reading and its survey."""

    reading: Reading
    survey: Survey
    units: Mapping[str, str]

    @property
    def main(self) -> Goal | None:
        """The main objective."""
        return self.reading.goals[0] if self.reading.goals else None

    def scale(self, goal: Goal) -> float:
        """The signal's spread in random episodes; 1 for what lies in [-1, 1] anyway."""
        if goal.signal.form in ("cos", "sin") or self.scale_is_one(goal.signal):
            return 1.0
        statistics = self.survey.statistics(goal.signal)
        if goal.purpose == "raise":
            # What is to be lifted hardly leaves the ground by chance: the body's own height
            # says more than random episodes do.
            heights = [p.signal for p in self.reading.posture if p.purpose == "height"]
            body = max((self.survey.statistics(height).start for height in heights), default=0.0)
            return rounded(max(statistics.spread, statistics.most / 2.0, body / 4.0))
        return rounded(statistics.spread)

    def usual(self, goal: Goal) -> float:
        """The large value that the documentation names; 0 where it names none."""
        return (goal.hint or 0.0) if goal.signal.form in ("value", "abs") else 0.0

    def pursue(self, goal: Goal, shape: Shape = "linear", weight: float = 1.0) -> Term:
        """The goal's signal made large or small."""
        if goal.target is not None and goal.purpose in ("travel", "rotate", "raise"):
            return self.track(goal, goal.target * (goal.sign if goal.target > 0 else 1), weight)
        scale = self.scale(goal)
        if shape == "tanh" or (shape == "clip" and goal.sign > 0):
            scale = rounded(max(self.usual(goal), SATURATION * scale) / 2.0)
        divided = None if scale == 1.0 and shape == "linear" else scale
        return Term(NAMES[goal.purpose], shape, goal.signal, weight, goal.sign, divided)

    def track(self, goal: Goal, target: float, weight: float = 1.0) -> Term:
        """The signal kept near ``target``."""
        scale = rounded(max(self.scale(goal), abs(target) / 2.0, 1e-3))
        wanted = rounded(target) or None
        return Term(NAMES[goal.purpose], "near", goal.signal, weight, 1, scale, wanted)

    def precise(self, goal: Goal, weight: float = 1.0, fineness: float = 0.15) -> Term:
        """A bump near the best value, 0 for what is to be small and 1 for uprightness."""
        statistics = self.survey.statistics(goal.signal)
        scale = rounded(max(statistics.spread * fineness, 1e-3))
        name = f"{NAMES[goal.purpose]}_fine"
        if goal.sign < 0:
            return Term(name, "near", goal.signal, weight, 1, scale)
        return Term(name, "near", goal.signal, weight, 1, max(scale, 0.2), 1.0)

    def posture(self, place: int = 0, weight: float | None = None) -> Term | None:
        """The pose of an episode's start kept: a gate, or with a weight a bonus.

        Its bounds reach half-way to the fallen states of random episodes: tighter ones were
        best met by standing still.
        """
        if place >= len(self.reading.posture):
            return None
        goal = self.reading.posture[place]
        statistics = self.survey.statistics(goal.signal)
        fallen = abs(statistics.start - statistics.least)
        slack = max(min(fallen, abs(statistics.start)), 0.3 * abs(statistics.start), 0.05)
        if goal.purpose == "upright":
            low, high, margin = rounded(statistics.start - slack / 2.0), 1.0, rounded(slack)
            if goal.sign < 0 or statistics.start < 0.3:
                return None
        elif goal.purpose == "height":
            low, margin = rounded(statistics.start - slack / 2.0), rounded(slack / 2.0)
            high = rounded(statistics.start + 2.0 * slack)
        else:
            slack = min(max(statistics.range / 2.0, 0.1), 0.5)
            low, high = rounded(statistics.start - slack), rounded(statistics.start + slack)
            margin = rounded(slack)
        name = NAMES[goal.purpose]
        return Term(name, "within", goal.signal, weight, low=low, high=high, margin=margin)

    def portion(self, goal: Goal, weight: float | None = None) -> Term | None:
        """What grows from 0 to 1 with a cosine or with what lies in [-1, 1]: a gate, or with a
        weight a term."""
        if goal.sign < 0 or not (goal.signal.form == "cos" or self.scale_is_one(goal.signal)):
            return None
        name = NAMES[goal.purpose] + ("_share" if weight is None else "")
        return Term(name, "portion", goal.signal, weight)

    def near_gate(self, goal: Goal, width: float = 1.0) -> Term:
        """A gate that falls from 1 as a signal leaves 0."""
        usual = max(self.survey.statistics(goal.signal).spread, self.usual(goal))
        margin = rounded(width * usual)
        name = f"{NAMES[goal.purpose]}_share"
        signal = replace(goal.signal, form="value") if goal.signal.form == "abs" else goal.signal
        return Term(name, "near", signal, None, 1, margin)

    def amount_gate(self, goal: Goal) -> Term:
        """A gate that grows with a signal that is never negative, such as a height."""
        return Term(
            f"{NAMES[goal.purpose]}_share", "linear", goal.signal, None, 1, self.scale(goal)
        )

    def alive(self, weight: float = 1.0) -> Term:
        """A constant for every step: worth something only where episodes can end early."""
        scalars = [goal.signal for goal in self.reading.goals if goal.signal.form != "dot"]
        scalars += [Signal(name) for name, size in self.survey.sizes.items() if size is None]
        vectors = [name for name, size in self.survey.sizes.items() if size is not None]
        for signal in scalars:
            if self.survey.sizes[signal.variable] is None:
                return Term("alive", "linear", Signal(signal.variable, "one"), weight)
        return Term("alive", "linear", Signal(vectors[0], "one", entry=0), weight)

    def effort(self, factor: float = 1.0) -> Term:
        """Squared actions."""
        return self._penalty("effort", Signal("action", self._squares("action")), factor)

    def jerk(self, factor: float = 1.0) -> Term:
        """Squared changes of action."""
        signal = Signal("action", self._squares("action"), change=True)
        return self._penalty("jerk", signal, factor)

    def damping(self, factor: float = 1.0) -> Term | None:
        """Squared joint velocities."""
        signals = self.reading.internal
        return self._penalty("damping", signals[0], factor) if signals else None

    def power(self, weight: float = 0.1) -> Term | None:
        """Mechanical power of the motors: what pushing off takes."""
        signal = self.reading.power
        if signal is None:
            return None
        return Term("push", "linear", signal, weight, 1, rounded(self._spread(signal)))

    def progress(self, goal: Goal, weight: float = 1.0) -> Term:
        """The goal's signal getting better from one control step to the next."""
        signal = replace(goal.signal, change=True)
        name = f"{NAMES[goal.purpose]}_gain"
        return Term(name, "linear", signal, weight, goal.sign, rounded(self._spread(signal)))

    def steady(self, name: str, weight: float = 0.2) -> Term | None:
        """A plain variable kept at the value with which episodes start."""
        if self.survey.sizes.get(name, 0) is not None:
            return None
        statistics = self.survey.statistics(Signal(name))
        scale = rounded(max(statistics.range / 2.0, 1e-3))
        target = rounded(statistics.start) or None
        return Term(f"steady_{name}", "near", Signal(name), weight, 1, scale, target)

    def _penalty(self, name: str, signal: Signal, factor: float) -> Term:
        if self.reading.careful:
            factor *= 3.0
        weight = EFFORT_SHARE * factor / self._spread(signal)
        return Term(name, "linear", signal, rounded(weight), -1)

    def _spread(self, signal: Signal) -> float:
        return max(self.survey.statistics(signal).spread, 1e-3)

    def _squares(self, name: str) -> Form:
        return "square" if self.survey.sizes[name] is None else "squares"

    def scale_is_one(self, signal: Signal) -> bool:
        """Whether the signal lies in [-1, 1] by its unit."""
        unit = self.units.get(signal.variable, "")
        return quantity(unit) == "ratio" and signal.form not in VECTOR_FORMS and not signal.change
