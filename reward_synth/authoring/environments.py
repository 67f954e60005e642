"""A task on an environment that somebody else wrote, from its id alone.

Sizes, keys and limits are read from one environment that is made and stepped once; words come from
where the environment documents its observation (Gymnasium's docstrings), from the keys of its
observation, and from what is known of a family.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reward_synth.authoring.draft import Constant, Draft, VariableDraft, identifier, quoted
from reward_synth.errors import UserError
from reward_synth.simulation.pools import Probe, probe_environment, registered_limit
from reward_synth.task import VectorEnvironment
from reward_synth.task.own_rewards import SUCCESS_KEYS

NATIVE = "native_reward"
SUCCESS = "success_flag"
MOST_NAMED_ENTRIES = 16
"""Entries of an observation that become variables of their own; more stay one vector."""
DEFAULT_SECONDS_LIMIT = 500
"""Steps of an episode where an environment has no time limit and none was asked for."""
TRAINING_STEPS = 200_000
"""Environment steps of a training, unless an episode is very long."""

_META_WORLD = (
    ("hand_position", "position (x, y, z) of the hand", "m", (0, 3)),
    ("gripper_opening", "opening of the gripper; 1 is open, 0 is closed", "0 to 1", 3),
    ("object_position", "position (x, y, z) of the first object", "m", (4, 7)),
    ("object_orientation", "orientation (quaternion) of the first object", "1", (7, 11)),
    (
        "second_object_position",
        "position of the second object; 0 where there is none",
        "m",
        (11, 14),
    ),
    ("goal_position", "position of the goal; 0 where the task hides it", "m", (36, 39)),
)
"""Entries of Meta-World's observation (Yu et al. 2019, arXiv 1910.10897)."""
_KEYS = {
    "achieved_goal": ("what has been achieved: the same quantity as the desired goal", "m"),
    "desired_goal": ("the goal to be achieved", "m"),
    "orientations": ("orientations of the body's parts (x and z parts of their axes)", "-1 to 1"),
    "height": ("height of the torso", "m"),
    "velocity": ("velocities of all joints", "m/s and rad/s"),
    "position": ("positions of the joints", "m and rad"),
    "to_target": ("vector from the finger or hand to the target", "m"),
}
"""Words for keys of observations that several suites share."""
_TABLE_ROW = re.compile(r"^\s*\|\s*(\d+)\s*\|(.+)\|\s*$")


@dataclass(frozen=True)
class _Row:
    """One line of a docstring's table of the observation."""

    doc: str
    unit: str


_KNOWN = {
    "LunarLander": [
        _Row("horizontal distance from the landing pad; positive is to the right", "1"),
        _Row("height above the landing pad; 0 is on it", "1"),
        _Row("horizontal velocity", "1"),
        _Row("vertical velocity; negative is falling", "1"),
        _Row("tilt; 0 is upright", "rad"),
        _Row("angular velocity", "rad/s"),
        _Row("left leg touches the ground, 0 or 1", "0 or 1"),
        _Row("right leg touches the ground, 0 or 1", "0 or 1"),
    ],
}
"""Observations that are documented in prose."""


def draft_environment(
    environment: VectorEnvironment,
    *,
    description: str | None = None,
    episode_steps: int | None = None,
    seed: int = 0,
) -> Draft:
    """The draft of a task on a registered environment.

    Args:
        environment: what to make.
        description: what is to be learned; from the environment's documentation if None.
        episode_steps: the time limit where the environment has none.

    Raises:
        UserError: the environment cannot be made or learned on.
    """
    seen = probe_environment(environment)
    limit = registered_limit(environment) or episode_steps
    documentation = _documentation(environment)
    notes: list[str] = []
    if limit is None:
        limit = DEFAULT_SECONDS_LIMIT
        notes.append(
            f"{environment.id} has no time limit of its own: episodes are cut after {limit} steps "
            "(episode_steps)"
        )
    variables = _variables(environment, seen, documentation)
    observation = [v.name for v in variables if v.name in _policy_sees(variables)]
    success = _success_key(seen.infos)
    variables += [
        VariableDraft(
            NATIVE, "the environment's own reward of the step", "1", "NativeReward()", False
        )
    ]
    if success is not None:
        variables.append(
            VariableDraft(
                SUCCESS,
                "whether the environment calls the state a success, 0 or 1",
                "0 or 1",
                f"Info({quoted(success)})",
                public=False,
            )
        )
    ends, threshold = _watch(environment, seen, limit, seed)
    rewards = {} if success is not None else {"sparse": sparse_reward(ends, threshold)}
    functions, fitness_doc, success_doc = measures(succeeds=success is not None)
    discrete = type(seen.action_space).__name__ != "Box"
    said = description or _first_sentence(documentation) or described_by(environment.id)
    arguments = "".join(f", {name}={value!r}" for name, value in environment.options.items())
    if environment.package is not None:
        arguments = f", package={environment.package!r}" + arguments
    pool = ', pool="envpool"' if environment.pool == "envpool" else ""
    return Draft(
        title=f"{environment.id}, with the environment's own resets, termination and time limit.",
        description=said,
        world=f'environment=VectorEnvironment("{environment.id}"{pool}{arguments})',
        variables=variables,
        observation=observation,
        episode_steps="EPISODE_STEPS",
        training_steps=max(TRAINING_STEPS, 20 * limit * 16),
        constants=[Constant("EPISODE_STEPS", str(limit), "Steps after which an episode is cut.")],
        functions=functions,
        fitness_doc=fitness_doc,
        success_doc=success_doc,
        ppo=_ppo(limit, discrete),
        rewards=rewards,
        notes=notes,
    )


# --- variables -----------------------------------------------------------------------------------


def _variables(
    environment: VectorEnvironment, seen: Probe, documentation: str
) -> list[VariableDraft]:
    space = seen.observation_space
    if hasattr(space, "spaces"):
        return _of_keys(space)
    if len(space.shape or ()) > 1:
        raise UserError(
            f"{environment.id} observes images or arrays of shape {space.shape}, which rewards "
            "cannot read; choose an environment that observes a vector"
        )
    size = int(np.prod(space.shape or (1,)))
    if environment.id.startswith("MetaWorld/") and size >= 39:
        whole = VariableDraft(
            "observation", "the whole observation, as the policy sees it", "1", "Observed()", False
        )
        parts = [
            VariableDraft(name, doc, unit, f"Observed(index={index})")
            for name, doc, unit, index in _META_WORLD
        ]
        reach = VariableDraft(
            "hand_to_object",
            "vector from the hand to the first object; its length is the distance",
            "m",
            'Derived(lambda v, xp: v["object_position"] - v["hand_position"])',
        )
        return [whole, *parts, reach]
    rows = _table(documentation, size) or _KNOWN.get(environment.id.split("-")[0], [])
    if rows and size <= MOST_NAMED_ENTRIES:
        names = distinct(
            [identifier(row.doc.split(";")[0]) or f"entry_{k}" for k, row in enumerate(rows)]
        )
        return [
            VariableDraft(name, row.doc, row.unit, f"Observed(index={k})")
            for k, (name, row) in enumerate(zip(names, rows, strict=True))
        ]
    doc = "the environment's observation"
    if rows:
        listed = "; ".join(f"{k}: {row.doc}" for k, row in enumerate(rows))
        doc = f"the environment's observation, by entry: {listed}"
    return [VariableDraft("observation", doc, "1", "Observed()")]


def _of_keys(space: Any) -> list[VariableDraft]:
    """One variable for each key of a Dict, or position of a Tuple; goal errors as well."""
    parts = space.spaces
    keys = list(parts) if isinstance(parts, Mapping) else list(range(len(parts)))
    found: list[VariableDraft] = []
    for key in keys:
        name = identifier(str(key)) if isinstance(key, str) else f"observation_{key}"
        doc, unit = _KEYS.get(str(key), (f"the observation's entry {key!r}", "1"))
        if name in ("action", "xp"):
            name = f"observed_{name}"
        found.append(
            VariableDraft(
                name, doc, unit, f"Observed({quoted(key) if isinstance(key, str) else key})"
            )
        )
    names = [variable.name for variable in found]
    if "achieved_goal" in names and "desired_goal" in names:
        found.append(
            VariableDraft(
                "goal_error",
                "desired goal less achieved goal; its length is the distance left",
                "m",
                'Derived(lambda v, xp: v["desired_goal"] - v["achieved_goal"])',
            )
        )
    return found


def _policy_sees(variables: Sequence[VariableDraft]) -> list[str]:
    """Names of what makes up the observation: all of it, once."""
    whole = [v.name for v in variables if v.binding == "Observed()"]
    return whole or [v.name for v in variables if v.binding.startswith("Observed(")]


def distinct(names: Sequence[str]) -> list[str]:
    """Names that differ and mean nothing else in a reward program."""
    counts: dict[str, int] = {}
    found: list[str] = []
    for name in names:
        name = f"observed_{name}" if name in ("action", "xp") or name.startswith("prev_") else name
        name = name[:50]
        counts[name] = counts.get(name, 0) + 1
        found.append(name if counts[name] == 1 else f"{name}_{counts[name]}")
    return found


def _success_key(infos: Sequence[Mapping[str, Any]]) -> str | None:
    for info in reversed(infos):
        for key in SUCCESS_KEYS:
            if key in info and np.size(info[key]) == 1:
                return key
    return None


# --- documentation ---------------------------------------------------------------------------


def _documentation(environment: VectorEnvironment) -> str:
    """The docstring of the environment's class in Gymnasium; empty where there is none."""
    import gymnasium
    from gymnasium.envs.registration import load_env_creator

    specification = gymnasium.registry.get(environment.id)
    entry = None if specification is None else specification.entry_point
    if isinstance(entry, str):
        try:
            entry = load_env_creator(entry)
        except Exception:  # a package that it needs is missing: then there are no words
            return ""
    return (getattr(entry, "__doc__", None) or "") if entry is not None else ""


def _table(documentation: str, size: int) -> list[_Row]:
    """The rows of the observation's table, where there is one for each entry."""
    begun = documentation.lower().find("## observation space")
    rows: dict[int, _Row] = {}
    for line in documentation[max(begun, 0) :].splitlines():
        match = _TABLE_ROW.match(line)
        if match is None:
            if rows and line.strip().startswith("##"):
                break
            continue
        cells = [cell.strip() for cell in match[2].split("|")]
        unit = re.search(r"\((.+)\)", cells[-1]) if len(cells) > 3 else None
        doc = re.sub(r"[`$*\\]", "", cells[0])
        rows.setdefault(int(match[1]), _Row(doc, unit[1] if unit else "1"))
    return [rows[k] for k in range(size)] if set(range(size)) <= rows.keys() else []


def _first_sentence(documentation: str) -> str:
    """What the documentation says is to be done: its first sentence about a goal."""
    text = " ".join(documentation.split())
    for sentence in re.split(r"(?<=[.!])\s+", text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", sentence)
        if re.search(r"\bgoal\b", plain) and 30 < len(plain) < 300 and "#" not in plain:
            return plain
    return ""


def described_by(id: str) -> str:
    """What an id says is to be done, in words."""
    name = re.sub(r"-v\d+$", "", id.split("/")[-1])
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-_]+", " ", name).lower()
    return f"{words.capitalize()}, as the environment {id} asks for."


# --- measures ------------------------------------------------------------------------------------


def _watch(
    environment: VectorEnvironment, seen: Probe, limit: int, seed: int
) -> tuple[bool, float]:
    """Whether random episodes terminate early, and the 90th percentile of their native reward."""
    from pathlib import Path

    from reward_synth.simulation.vector import VectorSimulator
    from reward_synth.task import NativeReward, Task, Variable

    bare = Task(
        description="Watch.",
        variables={NATIVE: Variable("reward", "1", NativeReward())},
        observation=(NATIVE,),
        episode_steps=limit,
        training_steps=1,
        environment=environment,
        folder=Path(environment.id),
    )
    simulator = VectorSimulator(bare, 4, threads=1)
    try:
        rng = np.random.default_rng(seed)
        simulator.reset(seed)
        rewards: list[np.ndarray] = []
        ended = False
        for _ in range(min(limit, 300)):
            step = simulator.step(simulator.action_space.random(rng, 4))
            rewards.append(step.variables[NATIVE])
            ended |= bool(step.terminated.any())
    finally:
        simulator.close()
    return ended, float(np.percentile(np.stack(rewards), 90.0))


def sparse_reward(ends: bool, threshold: float) -> str:
    """The bare signal of an environment that has no success of its own."""
    if ends:
        return (
            "def compute_reward(action):\n"
            '    """One for every step that the episode goes on."""\n'
            "    alive = 1.0 + 0.0 * action[:, 0]\n"
            '    return alive, {"alive": alive}\n'
        )
    return (
        f"THRESHOLD = {threshold:.6g}\n\n\n"
        f"def compute_reward({NATIVE}):\n"
        '    """One for every step whose own reward is above what random play rarely reaches."""\n'
        f"    good = xp.where({NATIVE} > THRESHOLD, 1.0, 0.0)\n"
        '    return good, {"good": good}\n'
    )


def measures(*, succeeds: bool) -> tuple[str, str, str]:
    """Source of fitness and success, and what they measure in words."""
    if not succeeds:
        source = f'''
def fitness(episode: Episode) -> float:
    """The environment's own return."""
    return float(episode["{NATIVE}"].sum())
'''
        return source, "sum of the environment's own reward over an episode", ""
    source = f'''
def fitness(episode: Episode) -> float:
    """The environment's own reward, averaged over the steps of a full episode."""
    return float(episode["{NATIVE}"].sum()) / EPISODE_STEPS


def success(episode: Episode) -> bool:
    """Whether the environment called any state of the episode a success."""
    return bool((episode["{SUCCESS}"] > 0.5).any())
'''
    return (
        source,
        "the environment's own reward, averaged over the steps of a full episode",
        "the environment calls at least one state of the episode a success",
    )


def _ppo(limit: int, discrete: bool) -> dict[str, str]:
    settings = {
        "environments": "16",
        "rollout_steps": "128",
        "minibatch_size": "256",
        "learning_rate": "1e-3" if not discrete else "7e-4",
        "discount": "0.98" if limit <= 300 else "0.99",
        "initial_log_std": "-0.5",
    }
    if discrete:
        settings["entropy_coefficient"] = "0.01"
        del settings["initial_log_std"]
    return settings
