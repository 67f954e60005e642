"""Policies that choose options or set switches, against torch's distributions and autograd."""

from typing import Any, cast

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli as TorchBernoulli
from torch.distributions import Categorical as TorchCategorical

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ActionSpace
from reward_synth.simulation.interface import Step
from reward_synth.simulation.policy import load_policy, save_policy
from reward_synth.task import PpoSettings
from sandbox.distributions import distribution_of
from sandbox.population import Population
from tests.sandbox.corridor import LENGTH, STEPS, Corridor

OPTIONS = ActionSpace("discrete", 5, (3, 2))
SWITCHES = ActionSpace("binary", 3)
SETTINGS = PpoSettings(
    environments=8, rollout_steps=40, minibatch_size=64, epochs=4, learning_rate=3e-3,
    entropy_coefficient=0.01, hidden_sizes=(16,),
)  # fmt: skip


def torch_terms(space: ActionSpace, outputs: torch.Tensor, a: torch.Tensor) -> tuple[Any, Any]:
    """Log-probability and entropy ``(K, M)`` by torch's own distributions."""
    if space.kind == "binary":
        switches = TorchBernoulli(logits=outputs)
        return switches.log_prob(a).sum(-1), switches.entropy().sum(-1)
    blocks = [
        (TorchCategorical(logits=outputs[..., block]), a[..., block].argmax(-1))
        for block in space.blocks
    ]
    return (
        sum(options.log_prob(chosen) for options, chosen in blocks),
        sum(options.entropy() for options, _ in blocks),
    )


@pytest.mark.parametrize("space", [OPTIONS, SWITCHES])
def test_gradients_are_those_of_torchs_distributions(space: ActionSpace) -> None:
    generator = torch.Generator().manual_seed(0)
    K, M, coefficient = 2, 7, 0.3
    outputs = torch.randn(K, M, space.size, generator=generator, dtype=torch.float64)
    rows = space.random(np.random.default_rng(1), K * M).reshape(K, M, space.size)
    a = torch.as_tensor(rows)
    g = torch.randn(K, M, 1, generator=generator, dtype=torch.float64)
    distribution = distribution_of(space)
    log_probability, saved = distribution.log_probability(outputs, {}, a)
    by_outputs, others = distribution.gradients(saved, g, coefficient)
    assert others == {} and dict(distribution.shapes) == {}

    free = outputs.clone().requires_grad_()
    theirs, entropy = torch_terms(space, free, a)
    torch.testing.assert_close(log_probability.squeeze(-1), theirs.detach())
    loss = (theirs * g.squeeze(-1)).sum() - coefficient * entropy.mean(1).sum()
    loss.backward()
    torch.testing.assert_close(by_outputs, free.grad)


@pytest.mark.parametrize("space", [OPTIONS, SWITCHES])
def test_actions_are_drawn_as_often_as_they_are_probable(space: ActionSpace) -> None:
    distribution = distribution_of(space)
    logits = torch.tensor([0.5, -1.0, 0.0, 1.5, -0.2][: space.size])
    draws = distribution.draws([torch.Generator().manual_seed(3)], (400, 50), torch.device("cpu"))
    outputs = logits.expand(1, 20_000, space.size)
    a = distribution.act(outputs, {}, draws.flatten(1, 2))
    if space.kind == "binary":
        expected = torch.sigmoid(logits)
    else:
        expected = torch.cat([torch.softmax(logits[block], -1) for block in space.blocks])
    torch.testing.assert_close(a.mean((0, 1)), expected, atol=0.012, rtol=0)
    steps = [outputs[:, :50] for _ in range(2)]
    rollout = a[:, :100].unflatten(1, (2, 50))
    log_probability = distribution.rollout_log_probability(steps, {}, rollout, draws[:, :2])
    torch.testing.assert_close(
        log_probability[:, 1], torch_terms(space, outputs[:, :50], rollout[:, 1])[0]
    )


def learned(seeds: list[int], rollouts: int, **world: bool) -> tuple[Population, float]:
    """Members that were paid for their place, and the mean place in the last rollout."""
    E = SETTINGS.environments
    corridor = Corridor(len(seeds) * E, **world)
    learners = Population(
        SETTINGS, 1, corridor.action_space, seeds, rollout_steps=SETTINGS.rollout_steps,
        total_steps=rollouts * E * SETTINGS.rollout_steps,
        critic_observation_size=corridor.critic_observation_size,
    )  # fmt: skip
    corridor.reset()
    critic = corridor.critic_observe()
    learners.begin(
        learners.tensor(corridor.observe()), None if critic is None else learners.tensor(critic)
    )
    places: list[np.ndarray] = []
    for _ in range(rollouts):
        steps: list[Step] = []
        experience = learners.collect(cast(Any, corridor), steps.append)
        places = [step.variables["place"] for step in steps]
        reward = np.stack(places).reshape(-1, len(seeds), E).transpose(1, 0, 2)
        learners.learn(experience, torch.as_tensor(reward))
    return learners, float(np.mean(places))


@pytest.mark.parametrize("world", [{}, {"switches": True}, {"critic": True}])
def test_a_population_learns_to_walk_to_the_end(world: dict[str, bool], tmp_path) -> None:
    learners, mean = learned([1, 2], 15, **world)
    best = (sum(range(1, LENGTH)) + LENGTH * (STEPS - LENGTH + 1)) / STEPS
    assert mean > 0.8 * best
    assert learners.noise(0) is None
    policy = learners.policy(0)
    save_policy(tmp_path / "p.safetensors", policy)
    again = load_policy(tmp_path / "p.safetensors", 1, learners.action_space)
    places = np.arange(LENGTH, dtype=float)[:, None]
    np.testing.assert_array_equal(again(places), policy(places))
    with pytest.raises(UserError, match=r"actions are .* but the task's are continuous"):
        space = ActionSpace("continuous", learners.action_space.size)
        load_policy(tmp_path / "p.safetensors", 1, space)
    onward = 0 if world.get("switches") else 2
    assert (again(places)[:, onward] == 1.0).all()


@pytest.mark.parametrize("world", [{}, {"switches": True}, {"critic": True}])
def test_a_member_learns_the_same_bits_alone_and_among_others(world: dict[str, bool]) -> None:
    alone, _ = learned([5], 3, **world)
    among, _ = learned([9, 5, 7], 3, **world)
    ours, theirs = alone.snapshot(0), among.snapshot(1)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)
