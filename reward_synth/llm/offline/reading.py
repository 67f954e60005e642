"""Reading a task: which signals the description asks for, and in which direction.

The description's words call for purposes (travel, rotate, reach, …); each public variable is
weighed as a measure of each purpose by its unit, the words of its name and documentation, and
what they share with the description.  The best pairs become goals.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from reward_synth.llm.offline.documentation import documented_pole, hint_of, number_of, upright_sign
from reward_synth.llm.offline.grammar import Signal
from reward_synth.llm.offline.words import (
    ECONOMY,
    FALL,
    INTERNAL,
    LINEAR_AXES,
    PURPOSES,
    TURN_AXES,
    TURN_LETTERS,
    WANTED_TURNS,
    Purpose,
    directions,
    quantity,
    tokens,
)
from reward_synth.task import Variable

STOP = frozenset(tokens("the a an of and or to in on is it as at for with by make can be than its"))
TRAVEL_CALLS = next(purpose.calls for purpose in PURPOSES if purpose.name == "travel")
HEADINGS = frozenset(tokens("forward backward sideways")) & frozenset(TRAVEL_CALLS)
SINE = frozenset(tokens("sine"))
COSINE = frozenset(tokens("cosine cos"))
RELATIVE = frozenset(tokens("distance offset relative error difference from"))
"""What tells a vector between two places from a place."""
WORTHY = 0.12
"""Share of the best goal's score from which another goal is kept."""
CALLED = 0.8
"""Weight of a purpose's words from which its goals are kept in any case."""
ANY_PURPOSE = 0.15
"""Weight of a purpose that no word calls for: it is only read where nothing else fits."""


@dataclass(frozen=True)
class Goal:
    """A signal to be made large (sign 1) or small (sign -1)."""

    purpose: str
    signal: Signal
    sign: int
    score: float
    certain: bool
    """Whether words say the sign; otherwise it is the usual one."""
    hint: float | None = None
    """A large value that the documentation calls usual or good, in the variable's unit."""
    target: float | None = None
    """A number in the description that the signal should have."""


@dataclass(frozen=True)
class Reading:
    """What the words of a task ask for."""

    goals: tuple[Goal, ...]
    """Best first; the first is the main objective."""
    posture: tuple[Goal, ...]
    """Signals that say whether the robot is in a good pose, best first."""
    internal: tuple[Signal, ...]
    """Squared joint velocities: what damping penalises."""
    power: Signal | None
    """Mechanical power of the motors, where action and joint velocities have one size."""
    careful: bool
    """The description asks for smoothness or economy."""


def read(
    description: str, variables: Mapping[str, Variable], sizes: Mapping[str, int | None]
) -> Reading:
    """Read ``description`` against the public ``variables``, whose entries ``sizes`` tells."""
    public = {name: variable for name, variable in variables.items() if variable.public}
    described = tokens(description)
    called_by = {purpose.name: _called(purpose, described) for purpose in PURPOSES}
    if called_by["rotate"] > 1.5:
        # "Forward" and "backward" then say which way to turn over, not where to go.
        headings = sum(TRAVEL_CALLS[word] for word in described if word in HEADINGS)
        called_by["travel"] = max(0.0, called_by["travel"] - headings)
    goals: list[Goal] = []
    for purpose in PURPOSES:
        called = called_by[purpose.name]
        for name, variable in public.items():
            for signal in _signals(name, variable, sizes[name], purpose):
                fit = _fit(purpose, signal, described, public)
                if fit > 0.0:
                    goal = _goal(purpose, signal, variable, description)
                    goals.append(replace(goal, score=fit * (called + ANY_PURPOSE)))
        if purpose.name == "reach":
            goals += _pairs(public, sizes, described, called)
    goals.sort(key=lambda goal: -goal.score)
    best = goals[0].score if goals else 0.0
    worthy = [
        goal for goal in goals if goal.score >= WORTHY * best or called_by[goal.purpose] >= CALLED
    ]
    velocities = [
        name
        for name, variable in public.items()
        if quantity(variable.unit) == "spin" and INTERNAL & set(_words(name, variable))
    ]
    internal = [Signal(name, "square" if sizes[name] is None else "squares") for name in velocities]
    matching = [name for name in velocities if sizes[name] == sizes["action"] is not None]
    return Reading(
        tuple(worthy),
        tuple(_postures(public, sizes)),
        tuple(internal),
        Signal("action", "dot", other=matching[0]) if matching else None,
        bool(ECONOMY & set(described)),
    )


def _called(purpose: Purpose, described: tuple[str, ...]) -> float:
    return sum(purpose.calls.get(word, 0.0) for word in described)


def _words(name: str, variable: Variable) -> tuple[str, ...]:
    return (*tokens(name), *tokens(variable.doc))


def _signals(name: str, variable: Variable, size: int | None, purpose: Purpose) -> list[Signal]:
    """The signals of a variable that could serve a purpose."""
    kind = quantity(variable.unit)
    if kind not in purpose.quantities:
        return []
    if size is None:
        if purpose.name == "upright" and kind == "angle":
            return [Signal(name, "cos")]
        signed = purpose.name in ("centre", "still", "reach") and "distanc" not in tokens(name)
        return [Signal(name, "abs" if signed else "value")]
    if purpose.name == "still":
        return [Signal(name, "squares")]
    words = set(_words(name, variable))
    if purpose.name == "reach" and not RELATIVE & words:
        return []
    if purpose.name in ("reach", "centre"):
        return [Signal(name, "norm")]
    if kind in ("speed", "length") and size in (2, 3) and {"x", "z"} & words:
        letters = ("x", "y", "z") if size == 3 else ("x", "y" if "y" in words else "z")
        return [
            Signal(name, entry=entry)
            for entry, letter in enumerate(letters)
            if LINEAR_AXES[letter] == _axis(purpose)
        ]
    return []


def _axis(purpose: Purpose) -> str:
    return purpose.axis or "fore"


def _fit(
    purpose: Purpose,
    signal: Signal,
    described: tuple[str, ...],
    public: Mapping[str, Variable],
) -> float:
    """How well a signal measures a purpose, about 0 to 4."""
    variable = public[signal.variable]
    kind = quantity(variable.unit)
    name, words = set(tokens(signal.variable)), set(_words(signal.variable, variable))
    if purpose.requires and not purpose.requires & words:
        return 0.0
    if purpose.name == "upright" and SINE & words and not COSINE & words:
        return 0.0
    fit = 1.0 + 0.5 * len(purpose.shows & name) + 0.15 * min(4, len(purpose.shows & words))
    fit += 0.3 * bool(purpose.requires & name & RELATIVE and signal.form == "value")
    fit += _overlap(described, words, public)
    wanted, measured = _wanted_axis(purpose, described), _measured_axis(signal, variable, kind)
    if signal.entry is None and wanted is not None and measured is not None:
        fit += 1.0 if wanted == measured else -2.5
    if INTERNAL & name and not INTERNAL & name & set(described):
        fit -= 0.8
    return max(0.0, fit) * purpose.quantities[kind]


def _overlap(described: tuple[str, ...], words: set[str], public: Mapping[str, Variable]) -> float:
    """Rare words that the description shares with a variable say that it is about it."""
    counts = Counter(
        word for name, variable in public.items() for word in set(_words(name, variable))
    )
    shared = (set(described) & words) - STOP
    return 0.3 * sum(math.log(1.0 + len(public) / counts[word]) for word in sorted(shared))


def _wanted_axis(purpose: Purpose, described: tuple[str, ...]) -> str | None:
    if purpose.name == "rotate":
        turns = [WANTED_TURNS[word] for word in described if word in WANTED_TURNS]
        return turns[0] if turns else None
    if purpose.name == "travel":
        axes = [axis for axis, _ in directions([w for w in described if w not in FALL])]
        return axes[0] if axes else purpose.axis
    return purpose.axis


def _measured_axis(signal: Signal, variable: Variable, kind: str) -> str | None:
    """The axis that a variable's name, else its documentation, speaks of."""
    for text in (signal.variable, variable.doc):
        words = tokens(text)
        if kind in ("spin", "angle"):
            turns = [TURN_AXES[word] for word in words if word in TURN_AXES]
            turns += [TURN_LETTERS[word] for word in words if word in TURN_LETTERS]
            if turns:
                return turns[0]
            continue
        letters = [LINEAR_AXES[word] for word in words if word in LINEAR_AXES]
        axes = letters + [axis for axis, _ in directions(words)]
        if axes:
            return axes[0]
    return None


def _goal(purpose: Purpose, signal: Signal, variable: Variable, description: str) -> Goal:
    """The goal of a purpose on a signal, with its direction; the score is yet to come."""
    hint, target = hint_of(variable.doc), number_of(description, variable.unit)
    if purpose.name in ("reach", "centre", "still"):
        return Goal(purpose.name, signal, -1, 0.0, True, hint, None)
    if purpose.name == "upright":
        sign, certain = upright_sign(variable, cosine=signal.form == "cos")
        return Goal(purpose.name, signal, sign, 0.0, certain, hint, None)
    axis = "up" if purpose.name == "raise" else "fore"
    poles: dict[str, int] = {axis: 0} if axis == "up" else {"fore": 0, "side": 0}
    wishes = [word for word in tokens(description) if word not in FALL]
    for found, pole in directions(wishes):
        if poles.get(found) == 0:
            poles[found] = pole
    if not poles[axis] and poles.get("side"):
        axis = "side"
    wanted = poles[axis] or 1
    documented, certain = documented_pole(signal.variable, variable, axis)
    if signal.entry is not None:
        documented, certain = 1, True
    certain = certain and (bool(poles[axis]) or purpose.axis is not None)
    if purpose.name == "raise" and quantity(variable.unit) == "speed" and wanted < 0:
        certain = False
    return Goal(purpose.name, signal, wanted * documented, 0.0, certain, hint, target)


def _pairs(
    public: Mapping[str, Variable],
    sizes: Mapping[str, int | None],
    described: tuple[str, ...],
    called: float,
) -> list[Goal]:
    """Two positions of one size, one of which is a target's: their distance is to be small."""
    reach = next(purpose for purpose in PURPOSES if purpose.name == "reach")
    aims = reach.requires & frozenset(tokens("target goal"))
    places = [
        name
        for name, variable in public.items()
        if quantity(variable.unit) == "length" and "position" in _words(name, variable)
    ]
    goals: list[Goal] = []
    for target in places:
        for name in places:
            if not aims & set(tokens(target)) or aims & set(tokens(name)):
                continue
            if sizes[name] != sizes[target]:
                continue
            form = "abs" if sizes[name] is None else "norm"
            fit = 1.0 + _overlap(described, set(_words(name, public[name])), public)
            signal = Signal(name, form, other=target)
            goals.append(Goal("reach", signal, -1, fit * (called + ANY_PURPOSE), True))
    return goals


def _postures(public: Mapping[str, Variable], sizes: Mapping[str, int | None]) -> list[Goal]:
    """Pose signals of the body itself: uprightness, height above the ground, lean."""
    found: list[Goal] = []
    for name, variable in public.items():
        kind, words = quantity(variable.unit), set(_words(name, variable))
        named = set(tokens(name))
        if sizes[name] is not None or INTERNAL & named:
            continue
        body = 0.3 * len(named & set(tokens("torso body trunk root base pelvis pole")))
        fallen = 0.5 * bool(FALL & words)
        if kind == "length" and {"height", "altitud"} & words:
            found.append(Goal("height", Signal(name), 1, 1.0 + body + fallen, True))
        elif kind == "ratio" and words & set(tokens("upright")) and not SINE & words:
            sign, certain = upright_sign(variable, cosine=False)
            found.append(Goal("upright", Signal(name), sign, 1.1 + body, certain))
        elif kind == "angle" and words & set(tokens("lean pitch tilt upright roll level")):
            found.append(Goal("lean", Signal(name), 1, 0.9 + body + fallen, True))
    return sorted(found, key=lambda goal: -goal.score)
