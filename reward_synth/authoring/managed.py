"""A task on an environment of mjlab or Isaac Lab, from its id alone.

Names come from the terms of its observation manager; sizes and limits from one environment that is
made and looked at.
"""

import math
from pathlib import Path

import numpy as np

from reward_synth.authoring.draft import Constant, Draft, VariableDraft
from reward_synth.authoring.environments import (
    NATIVE,
    TRAINING_STEPS,
    described_by,
    distinct,
    measures,
    sparse_reward,
)
from reward_synth.errors import UserError
from reward_synth.task import ManagerBasedEnvironment, NativeReward, Task, Variable

POLICY_GROUPS = ("actor", "policy")
"""Observation groups that the policy sees: mjlab's name, and Isaac Lab's."""
WATCHED_ENVIRONMENTS = 4
WATCHED_STEPS = 100
LOOKED_AT_SEED = 0


def draft_managed(environment: ManagerBasedEnvironment, *, description: str | None = None) -> Draft:
    """The draft of a task on a manager-based environment.

    Raises:
        UserError: the environment cannot be made, or has no group of observations for a policy.
    """
    group, terms, steps = _look(environment)
    begin = 0
    names = distinct([name for name, _ in terms])
    variables = [
        VariableDraft(
            "observation", "all that the policy sees", "1", f'Observed("{group}")', public=False
        )
    ]
    for name, (term, size) in zip(names, terms, strict=True):
        index = str(begin) if size == 1 else f"({begin}, {begin + size})"
        doc = f"the environment's observation term {term}"
        variables.append(VariableDraft(name, doc, "1", f'Observed("{group}", {index})'))
        begin += size
    own = "the environment's own reward of the step"
    variables.append(VariableDraft(NATIVE, own, "1", "NativeReward()", public=False))
    ends, threshold = _watch(environment, steps)
    functions, fitness_doc, success_doc = measures(succeeds=False)
    return Draft(
        title=f"{environment.id} of {environment.package}, with the environment's own resets, "
        "termination and time limit.",
        description=description or described_by(environment.id),
        world=f'environment=ManagerBasedEnvironment("{environment.id}", "{environment.package}")',
        variables=variables,
        observation=["observation"],
        episode_steps="EPISODE_STEPS",
        training_steps=TRAINING_STEPS,
        constants=[Constant("EPISODE_STEPS", str(steps), "Steps after which an episode is cut.")],
        functions=functions,
        fitness_doc=fitness_doc,
        success_doc=success_doc,
        ppo={
            "environments": "64",
            "rollout_steps": "32",
            "minibatch_size": "512",
            "epochs": "5",
            "learning_rate": "1e-3",
        },
        rewards={"sparse": sparse_reward(ends, threshold)},
    )


def _look(environment: ManagerBasedEnvironment) -> tuple[str, list[tuple[str, int]], int]:
    """The policy's group of observations, its terms with their sizes, and an episode's steps."""
    from reward_synth.simulation.managed_worlds import MjlabWorld, open_isaac

    if environment.package == "mjlab":
        world = MjlabWorld(environment, 1, LOOKED_AT_SEED, "cpu")
    else:
        world = open_isaac(environment, 1, LOOKED_AT_SEED, "cpu")
    try:
        env = world.env
        manager = getattr(env, "observation_manager", None)
        groups = {} if manager is None else manager.active_terms
        group = next((name for name in POLICY_GROUPS if name in groups), None)
        if manager is None or group is None:
            found = ", ".join(groups) or "none"
            raise UserError(
                f"{environment.id} has no group of observations named {' or '.join(POLICY_GROUPS)} "
                f"(it has {found}); write its task.py by hand, as the guide on own tasks shows"
            )
        sizes = [math.prod(shape) for shape in manager.group_obs_term_dim[group]]
        return group, list(zip(groups[group], sizes, strict=True)), int(env.max_episode_length)
    finally:
        world.close()


def _watch(environment: ManagerBasedEnvironment, steps: int) -> tuple[bool, float]:
    """Whether random episodes terminate early, and the 90th percentile of their native reward."""
    from reward_synth.simulation.managed import ManagedSimulator
    from reward_synth.simulation.rollout import on_host

    bare = Task(
        description="Watch.",
        variables={NATIVE: Variable("reward", "1", NativeReward())},
        observation=(NATIVE,),
        episode_steps=steps,
        training_steps=1,
        environment=environment,
        folder=Path(environment.id),
    )
    simulator = ManagedSimulator(bare, WATCHED_ENVIRONMENTS)
    try:
        rng = np.random.default_rng(LOOKED_AT_SEED)
        simulator.reset(LOOKED_AT_SEED)
        rewards: list[np.ndarray] = []
        ended = False
        for _ in range(min(steps, WATCHED_STEPS)):
            action = simulator.action_space.random(rng, WATCHED_ENVIRONMENTS)
            step = simulator.step(simulator.xp.asarray(action, **simulator.placement))
            rewards.append(on_host(step.variables[NATIVE]))
            ended |= bool(step.terminated.any())
    finally:
        simulator.close()
    return ended, float(np.percentile(np.stack(rewards), 90.0))
