"""First generation: structured readings of the description, the plainest first.

Slot 0 is the straightforward program: the main objective, a bonus per step where episodes can
end early, a little less for effort.  The slots after it vary its structure: gated by posture,
saturating, with secondary objectives, with the second-best signal.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from reward_synth.llm.offline.grammar import Genome, Term, tidy
from reward_synth.llm.offline.reading import Goal
from reward_synth.llm.offline.terms import Terms
from reward_synth.llm.offline.words import tokens

Plan = Callable[[Terms, Goal], list[Term | None]]

ALIVE_SHARE = 1.0
"""Bonus per step against the main term at its scale."""
BIG, SMALL = 3.0, 0.3
CALM = 10.0
"""Factor on the effort penalty where calm motion is tried: published rewards differ by as much."""


def first_generation(terms: Terms) -> list[Genome]:
    """The distinct structured programs for a task, the most straightforward first."""
    goal = terms.main
    names = terms.survey.sizes
    if goal is None:
        return [tidy([terms.effort()], names)]
    plans = PLANS.get(goal.purpose, GENERAL)
    found: list[Genome] = []
    for plan in plans:
        genome = tidy([term for term in plan(terms, goal) if term is not None], names)
        if genome.summed and genome not in found:
            found.append(genome)
    if not goal.certain:
        # Nothing says which way is positive: every other program tries the other way.
        mirrored = [_mirrored(genome, goal) for genome in found]
        found = [genome for pair in zip(found, mirrored, strict=True) for genome in pair]
    return found


def _mirrored(genome: Genome, goal: Goal) -> Genome:
    return Genome(
        tuple(
            replace(term, sign=-term.sign)
            if term.signal == goal.signal and term.weight is not None
            else term
            for term in genome.terms
        )
    )


def _alive(terms: Terms, weight: float = ALIVE_SHARE) -> Term | None:
    return terms.alive(weight) if terms.survey.ends_early else None


def _second(terms: Terms, purpose: str | None = None) -> Goal | None:
    """The best goal with another purpose than the main one."""
    for goal in terms.reading.goals[1:]:
        if goal.purpose == purpose or (purpose is None and goal.purpose != terms.main.purpose):  # pyright: ignore[reportOptionalMemberAccess]
            return goal
    return None


def _alternative(terms: Terms, goal: Goal) -> Goal:
    """The next-best signal for the main purpose."""
    return next(
        (
            other
            for other in terms.reading.goals[1:]
            if other.purpose == goal.purpose and other.signal != goal.signal
        ),
        goal,
    )


def _gated(term: Term, gates: Iterable[Term | None]) -> list[Term | None]:
    """``term`` multiplied by ``gates``, followed by the gates themselves."""
    there = [gate for gate in gates if gate is not None]
    return [*there, replace(term, gates=tuple(gate.name for gate in there))]


def _extra(terms: Terms, weight: float) -> list[Term | None]:
    second = _second(terms)
    return [terms.pursue(second, weight=weight)] if second else []


# --- something to be made large: travel, raise ------------------------------------------------


def plain(t: Terms, goal: Goal) -> list[Term | None]:
    return [t.pursue(goal), _alive(t), t.effort()]


def strong(t: Terms, goal: Goal) -> list[Term | None]:
    return [t.pursue(goal, weight=BIG), _alive(t), t.effort()]


def in_posture(t: Terms, goal: Goal) -> list[Term | None]:
    gates = [t.posture(0), t.posture(1)]
    return [*_gated(t.pursue(goal, weight=2.0), gates), _alive(t, 0.5), t.effort()]


def strong_in_posture(t: Terms, goal: Goal) -> list[Term | None]:
    return [*_gated(t.pursue(goal, weight=BIG), [t.posture(0)]), _alive(t, SMALL), t.effort()]


def saturating_in_posture(t: Terms, goal: Goal) -> list[Term | None]:
    speed = t.pursue(goal, "tanh", BIG)
    return [*_gated(speed, [t.posture(0), t.posture(1)]), _alive(t), t.effort(), t.jerk()]


def only_in_posture(t: Terms, goal: Goal) -> list[Term | None]:
    """No bonus for staying alive: who falls loses the speed to come, who stands gains nothing."""
    speed = t.pursue(goal, "tanh", BIG)
    return [*_gated(speed, [t.posture(0), t.posture(1)]), t.effort()]


def calm_in_posture(t: Terms, goal: Goal) -> list[Term | None]:
    gates = [t.posture(1) or t.posture(0)]
    return [*_gated(t.pursue(goal), gates), _alive(t), t.effort(CALM)]


def with_bonus(t: Terms, goal: Goal) -> list[Term | None]:
    return [t.pursue(goal, weight=2.0), t.posture(0, 0.5), _alive(t, 0.5), t.effort(), t.jerk()]


def saturating(t: Terms, goal: Goal) -> list[Term | None]:
    return [t.pursue(goal, "tanh", BIG), t.posture(0, 0.5), _alive(t, 0.5), t.effort()]


def bare(t: Terms, goal: Goal) -> list[Term | None]:
    return [t.pursue(goal), _alive(t, SMALL)]


def damped(t: Terms, goal: Goal) -> list[Term | None]:
    return [t.pursue(goal, weight=2.0), _alive(t), t.effort(3.0), t.damping()]


def with_second(t: Terms, goal: Goal) -> list[Term | None]:
    return [t.pursue(goal), *_extra(t, SMALL), _alive(t), t.effort()]


def other_signal(t: Terms, goal: Goal) -> list[Term | None]:
    return [t.pursue(_alternative(t, goal)), _alive(t), t.effort()]


# --- something to turn over -------------------------------------------------------------------


def _height_gate(t: Terms, place: int = 0) -> Term | None:
    """The body's height as a factor: turning over counts little for what lies on the floor."""
    heights = [posture for posture in t.reading.posture if posture.purpose == "height"]
    if place >= len(heights):
        return None
    return replace(t.amount_gate(heights[place]), name="standing_share")


def turn_standing(t: Terms, goal: Goal) -> list[Term | None]:
    return [*_gated(t.pursue(goal), [_height_gate(t)]), _alive(t, SMALL), t.effort()]


def turn_landing(t: Terms, goal: Goal) -> list[Term | None]:
    upright = _second(t, "upright")
    landing = [t.pursue(upright, weight=SMALL)] if upright else []
    return [*_gated(t.pursue(goal), [_height_gate(t)]), *landing, _alive(t, SMALL), t.effort()]


def turn_saturating(t: Terms, goal: Goal) -> list[Term | None]:
    turn = t.pursue(goal, "tanh", 2.0)
    return [*_gated(turn, [_height_gate(t)]), _alive(t, SMALL), t.effort()]


def turn_clear(t: Terms, goal: Goal) -> list[Term | None]:
    gate = _height_gate(t, 1) or _height_gate(t)
    return [*_gated(t.pursue(goal), [gate]), _alive(t, SMALL), t.effort()]


def turn_only(t: Terms, goal: Goal) -> list[Term | None]:
    return [*_gated(t.pursue(goal), [_height_gate(t)]), t.effort()]


def turn_in_the_air(t: Terms, goal: Goal) -> list[Term | None]:
    lift = _second(t, "raise")
    turn = t.pursue(goal)
    flying = [t.amount_gate(lift)] if lift else []
    return [
        *_gated(turn, [_height_gate(t)]),
        *_gated(replace(turn, name="turn_flying", weight=0.5), flying),
        _alive(t, SMALL),
        t.effort(),
    ]


def turn_and_rise(t: Terms, goal: Goal) -> list[Term | None]:
    lift = _second(t, "raise")
    rise = [t.pursue(lift, weight=0.5)] if lift else []
    return [*_gated(t.pursue(goal), [_height_gate(t)]), *rise, _alive(t, SMALL), t.effort()]


def turn_pushing(t: Terms, goal: Goal) -> list[Term | None]:
    turn = t.pursue(goal)
    power = t.power()
    high = _gated(replace(turn, name="turn_high", weight=0.4), [_height_gate(t)])
    if power is None:
        return [turn, *high, _alive(t, SMALL)]
    push = replace(power, name="push_share", weight=None)
    pushing = _gated(replace(turn, name="turn_pushing", weight=0.6), [push])
    return [turn, *high, *pushing, _alive(t, SMALL)]


# --- something to be kept upright -------------------------------------------------------------


def _centre_gate(t: Terms) -> Term | None:
    centre = _second(t, "centre")
    return t.near_gate(centre, 2.0) if centre else None


def _still(t: Terms, goal: Goal) -> Goal | None:
    """Rest of the thing that the goal is about, by its name, else of whatever is to be still."""
    stills = [other for other in t.reading.goals if other.purpose == "still"]
    subject = set(tokens(goal.signal.variable))
    named = [other for other in stills if subject & set(tokens(other.signal.variable))]
    return next(iter(named + stills), None)


def _still_gate(t: Terms, goal: Goal) -> Term | None:
    still = _still(t, goal)
    return t.near_gate(still) if still else None


def upright_centred(t: Terms, goal: Goal) -> list[Term | None]:
    upright = t.portion(goal, 1.0) or t.pursue(goal)
    return [*_gated(upright, [_centre_gate(t)]), _alive(t), t.effort()]


def upright_still(t: Terms, goal: Goal) -> list[Term | None]:
    upright = t.portion(goal, 1.0) or t.pursue(goal)
    return [*_gated(upright, [_centre_gate(t), _still_gate(t, goal)]), _alive(t), t.effort()]


def upright_fine(t: Terms, goal: Goal) -> list[Term | None]:
    upright = t.portion(goal, 1.0) or t.pursue(goal)
    fine = t.precise(goal, 1.0, 0.5)
    return [
        *_gated(upright, [_centre_gate(t)]),
        *_gated(fine, [_still_gate(t, goal)]),
        _alive(t),
        t.effort(),
    ]


def upright_calm(t: Terms, goal: Goal) -> list[Term | None]:
    centre, still = _second(t, "centre"), _still(t, goal)
    return [
        t.pursue(goal),
        t.pursue(centre, weight=SMALL) if centre else None,
        t.pursue(still, weight=SMALL) if still else None,
        _alive(t),
        t.effort(CALM),
    ]


# --- something to be made small ---------------------------------------------------------------


def close_and_fine(t: Terms, goal: Goal) -> list[Term | None]:
    return [t.pursue(goal), t.precise(goal, 1.0), _alive(t), t.effort()]


def close_finer(t: Terms, goal: Goal) -> list[Term | None]:
    return [t.pursue(goal, weight=2.0), t.precise(goal, 1.0, 0.06), _alive(t), t.effort(0.3)]


def close_and_calm(t: Terms, goal: Goal) -> list[Term | None]:
    return [t.pursue(goal), t.precise(goal, 0.5), _alive(t), t.effort(3.0 * CALM)]


def bumps(t: Terms, goal: Goal) -> list[Term | None]:
    wide = replace(t.precise(goal, 1.0, 0.6), name="closeness_wide")
    return [wide, t.precise(goal, 1.0, 0.12), _alive(t), t.effort()]


def gaining(t: Terms, goal: Goal) -> list[Term | None]:
    return [t.pursue(goal), t.progress(goal, 0.5), _alive(t), t.effort()]


GENERAL: tuple[Plan, ...] = (
    plain,
    in_posture,
    saturating_in_posture,
    strong_in_posture,
    with_bonus,
    only_in_posture,
    calm_in_posture,
    strong,
    saturating,
    with_second,
    other_signal,
    damped,
    bare,
)
TURNING: tuple[Plan, ...] = (
    plain,
    turn_standing,
    turn_only,
    turn_landing,
    turn_in_the_air,
    turn_saturating,
    turn_clear,
    turn_and_rise,
    turn_pushing,
    strong,
)
STANDING: tuple[Plan, ...] = (
    plain,
    upright_still,
    upright_centred,
    upright_fine,
    with_second,
    upright_calm,
    other_signal,
    damped,
)
CLOSING: tuple[Plan, ...] = (
    plain,
    close_and_fine,
    close_finer,
    close_and_calm,
    bumps,
    gaining,
    other_signal,
    damped,
)
PLANS: dict[str, tuple[Plan, ...]] = {
    "rotate": TURNING,
    "upright": STANDING,
    "reach": CLOSING,
    "centre": CLOSING,
    "still": CLOSING,
}
