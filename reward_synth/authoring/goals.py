"""What a goal in words (``speed=1``, ``near=A,B``) measures and rewards on a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reward_synth.authoring.anatomy import Anatomy
from reward_synth.authoring.draft import Constant, VariableDraft, identifier, quoted
from reward_synth.errors import UserError
from reward_synth.task.validation import nearest

KINDS = "speed=1, near=A,B, height=BODY,H, upright=BODY, joint=NAME,ANGLE or none"


@dataclass(frozen=True)
class Goal:
    """What is to be learned: its measures as source."""

    description: str
    variables: Sequence[VariableDraft] = ()
    constants: Sequence[Constant] = ()
    functions: str = ""
    fitness_doc: str = ""
    success_doc: str = ""
    rewards: Mapping[str, str] = field(default_factory=dict)


def choose_goal(
    text: str | None, parts: Anatomy, variables: Sequence[VariableDraft], model: Any, seconds: float
) -> Goal:
    """The goal that ``text`` names, or the likeliest on this model.

    Raises:
        UserError: it is no goal, or names what the model lacks.
    """
    kind, _, rest = (text or _likeliest(parts)).partition("=")
    values = [value.strip() for value in rest.split(",")] if rest else []
    wanted = {"speed": 1, "near": 2, "height": 2, "upright": 1, "joint": 2, "none": 0}
    if kind not in wanted or len(values) != wanted[kind]:
        raise UserError(f"--goal {text} is no goal; give {KINDS}")
    if kind == "none":
        return Goal("Describe in one sentence what is to be learned.")
    if kind == "speed":
        if "forward_velocity" not in {v.name for v in variables}:
            raise UserError("--goal speed needs a robot that is free to move along x")
        return _speed(_number(values[0], text), seconds)
    if kind == "near":
        return _near(values[0], values[1], model)
    if kind == "joint":
        names = [joint.name for joint in parts.joints]
        if values[0] not in names:
            raise UserError(f"the robot has no joint {values[0]!r}{nearest(values[0], names)}")
        index = names.index(values[0]) if len(names) > 1 else None
        at = "" if index is None else f"[:, {index}]"
        angle = _number(values[1], text)
        return _closeness(
            f"Bring the joint {values[0]} to {angle:g} and keep it there.",
            [
                VariableDraft("joint_error", f"{values[0]} less its target of {angle:g}",
                    "rad or m", f'Derived(lambda v, xp: v["joint_angles"]{at} - TARGET)')
            ],
            [Constant("TARGET", f"{angle:g}", f"Where {values[0]} is to be, rad or m.")],
            "abs(joint_error)", "joint_error", 0.1,
        )  # fmt: skip
    _known(values[0], model, ("body",))
    if kind == "upright":
        up = VariableDraft(
            "upright",
            f"z part of the up axis of {values[0]}; 1 is upright",
            "-1 to 1",
            f'Sensor("framezaxis", {quoted(values[0])}, "xbody", component=2)',
        )
        return _above(f"Keep {values[0]} upright.", up, 0.9)
    height = VariableDraft(
        "goal_height",
        f"height of {values[0]}",
        "m",
        f'Sensor("framepos", {quoted(values[0])}, "xbody", component=2)',
    )
    level = _number(values[1], text)
    return _above(f"Bring {values[0]} to a height of {level:g} m and hold it.", height, level)


def _likeliest(parts: Anatomy) -> str:
    if parts.objects and parts.goals:
        return f"near={parts.objects[0]},{next(iter(parts.goals))}"
    if parts.floating or parts.forward_slide:
        return "speed=1"
    if parts.tips and (parts.goals or parts.objects):
        return f"near={parts.tips[-1]},{[*parts.goals, *parts.objects][0]}"
    if parts.joints:
        joint = max(
            parts.joints, key=lambda j: 0.0 if j.limits is None else j.limits[1] - j.limits[0]
        )
        low, high = joint.limits or (-1.0, 1.0)
        return f"joint={joint.name},{low + 0.75 * (high - low):.3g}"
    return "none"


def _number(text: str, goal: str | None) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"--goal {goal}: {text!r} is no number; give {KINDS}") from None
    if not abs(value) < 1e6:
        raise UserError(f"--goal {goal}: {text} is no sensible number")
    return value


def _known(name: str, model: Any, kinds: Sequence[str]) -> str:
    """The kind of what is named.  Raises UserError."""
    found = {
        kind: [getattr(model, kind)(i).name for i in range(getattr(model, f"n{kind}"))]
        for kind in kinds
    }
    for kind, names in found.items():
        if name and name in names:
            return "xbody" if kind == "body" else kind
    every = [name for names in found.values() for name in names if name]
    raise UserError(f"the model has no {' or '.join(kinds)} {name!r}{nearest(name, every)}")


def _speed(speed: float, seconds: float) -> Goal:
    expert = f'''SPEED = {speed:g}
CONTROL_WEIGHT = 0.01


def compute_reward(forward_velocity, action):
    """As fast as asked, with little control."""
    run = 1.0 - xp.abs(xp.clip(forward_velocity / SPEED, -1.0, 1.0) - 1.0)
    control = -CONTROL_WEIGHT * xp.sum(action**2, axis=-1)
    return run + 0.5 + control, {{"run": run, "control": control}}
'''
    sparse = f'''DISTANCE = {0.8 * speed * seconds:.4g}


def compute_reward(forward_position):
    """1 once the robot has come as far as success asks, else 0."""
    there = xp.where(forward_position >= DISTANCE, 1.0, 0.0)
    return there, {{"there": there}}
'''
    functions = '''
def fitness(episode: Episode) -> float:
    """Distance along x over the duration of a full episode, so that falls cost."""
    position = episode["forward_position"]
    return float(position[-1] - position[0]) / (EPISODE_STEPS * episode.control_step)


def success(episode: Episode) -> bool:
    """Whether the robot kept up most of the speed asked for."""
    return fitness(episode) >= SUCCESS_SPEED
'''
    return Goal(
        f"Move forward at {speed:g} m/s without falling over.",
        constants=[
            Constant(
                "SUCCESS_SPEED",
                f"{0.8 * speed:g}",
                "Mean speed along x over a full episode that is a success, m/s.",
            )
        ],
        functions=functions,
        fitness_doc="distance travelled along x divided by the time of a full episode, m/s",
        success_doc=f"mean speed along x over a full episode of at least {0.8 * speed:g} m/s",
        rewards={"expert": expert, "sparse": sparse},
    )


def _near(a: str, b: str, model: Any) -> Goal:
    variables = []
    for name in (a, b):
        kind = _known(name, model, ("body", "site"))
        variables.append(VariableDraft(f"{identifier(name)}_position", f"position of {name}", "m",
            f'Sensor("framepos", {quoted(name)}, "{kind}")'))  # fmt: skip
    one, other = identifier(a), identifier(b)
    variables.append(VariableDraft("distance", f"distance from {a} to {b}", "m",
        f'Derived(lambda v, xp: xp.sqrt(xp.sum((v["{other}_position"] - v["{one}_position"])'
        " ** 2, axis=-1)))"))  # fmt: skip
    return _closeness(f"Bring {a} to {b}.", variables, [], "distance", "distance", 0.05)


def _closeness(
    description: str, variables: Sequence[VariableDraft], constants: Sequence[Constant],
    error: str, name: str, close: float,
) -> Goal:  # fmt: skip
    term = f"xp.{error}" if error.startswith("abs") else error
    functions = f'''
def fitness(episode: Episode) -> float:
    """Minus the mean error; steps that are missing count with the largest."""
    error = abs(episode["{name}"])
    missing = EPISODE_STEPS - len(episode)
    return -float(error.sum() + missing * error.max()) / EPISODE_STEPS


def success(episode: Episode) -> bool:
    """Whether a full episode ends close to the goal."""
    return not episode.terminated and bool(abs(episode["{name}"][-1]) < CLOSE)
'''
    expert = f'''SCALE = {4 * close:g}
CONTROL_WEIGHT = 0.01


def compute_reward({name}, action):
    """Closer is better, with little control."""
    close = 1.0 - xp.tanh({term} / SCALE)
    control = -CONTROL_WEIGHT * xp.mean(action**2, axis=-1)
    return close + control, {{"close": close, "control": control}}
'''
    sparse = f'''CLOSE = {close:g}


def compute_reward({name}):
    """1 where the goal is reached, else 0."""
    there = xp.where({term} < CLOSE, 1.0, 0.0)
    return there, {{"there": there}}
'''
    near = Constant("CLOSE", f"{close:g}", "Error at which the goal is reached, m or rad.")
    return Goal(description, variables, [*constants, near], functions,
        "minus the mean error over a full episode, m or rad",
        f"a full episode ends with an error below {close:g}",
        {"expert": expert, "sparse": sparse})  # fmt: skip


def _above(description: str, variable: VariableDraft, level: float) -> Goal:
    name = variable.name
    functions = f'''
def fitness(episode: Episode) -> float:
    """The mean over a full episode; more than is asked counts for no more."""
    return float(episode["{name}"].clip(None, LEVEL).sum()) / EPISODE_STEPS


def success(episode: Episode) -> bool:
    """Whether a full episode ends as high as is asked."""
    return not episode.terminated and bool(episode["{name}"][-1] >= LEVEL)
'''
    expert = f'''LEVEL = {level:g}
CONTROL_WEIGHT = 0.01


def compute_reward({name}, action):
    """As high as is asked, with little control."""
    high = xp.minimum({name}, LEVEL)
    control = -CONTROL_WEIGHT * xp.mean(action**2, axis=-1)
    return high + control, {{"high": high, "control": control}}
'''
    sparse = f'''LEVEL = {level:g}


def compute_reward({name}):
    """1 where it is as high as is asked, else 0."""
    there = xp.where({name} >= LEVEL, 1.0, 0.0)
    return there, {{"there": there}}
'''
    return Goal(description, [variable],
        [Constant("LEVEL", f"{level:g}", f"The goal, {variable.unit}.")], functions,
        f"mean of {variable.doc} over a full episode",
        f"a full episode ends with at least {level:g}",
        {"expert": expert, "sparse": sparse})  # fmt: skip
