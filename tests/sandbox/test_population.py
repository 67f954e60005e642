"""The population's mathematics, against independent computations of the same."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecNormalize
from torch.distributions import Normal

from reward_synth.reward import parse
from reward_synth.simulation import task_spec
from reward_synth.simulation.actions import ActionSpace
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import PpoSettings, Task, load_task, reward_source
from sandbox.networks import Layout, RunningMoments
from sandbox.population import Experience, Population
from sandbox.vec_env import RewardedSimulator

CARTPOLE = load_task("cartpole-swingup")
HOPPER = load_task("hopper-forward")
SMALL = PpoSettings(
    environments=4,
    rollout_steps=16,
    minibatch_size=32,
    epochs=3,
    hidden_sizes=(12, 8),
    entropy_coefficient=0.01,
    initial_log_std=-0.3,
    anneal=False,
)
OBSERVATION, ACTION = 5, 3


def population(seeds: Sequence[int], settings: PpoSettings = SMALL, **sizes: int) -> Population:
    steps = settings.rollout_steps
    return Population(
        settings,
        sizes.get("observation", OBSERVATION),
        ActionSpace("continuous", sizes.get("action", ACTION)),
        seeds,
        rollout_steps=steps,
        total_steps=10 * steps * settings.environments,
    )


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def made_up_batch(learners: Population, rows: int, seed: int = 0) -> torch.Tensor:
    """``(K, rows, columns)``: observations, actions, old log-probabilities, advantages, returns.

    Old log-probabilities are near those of a policy that took the actions, so that some ratios
    are clipped and others not.
    """
    K = len(learners)
    parameters = learners.layout.views(learners.theta)
    s = normal(K, rows, OBSERVATION, seed=seed)
    mean = learners.layout.apply("policy", parameters, s)
    a = mean + parameters["log_std"].exp() * normal(K, rows, ACTION, seed=seed + 1)
    old = Normal(mean, parameters["log_std"].exp()).log_prob(a).sum(-1, keepdim=True)
    old += 0.3 * normal(K, rows, 1, seed=seed + 2)
    rest = 3.0 * normal(K, rows, 2, seed=seed + 3) + 1.0
    return torch.cat([s, a, old, rest], dim=2)


# --- parameters ------------------------------------------------------------------------------


def test_initial_weights_are_orthogonal_with_the_layers_gain():
    layout = Layout(OBSERVATION, ACTION, (12, 8))
    theta = layout.initial(-0.5, torch.Generator().manual_seed(3))
    views = {name: view[0] for name, view in layout.views(theta.unsqueeze(0)).items()}
    assert layout.size == theta.numel() == sum(view.numel() for view in views.values())
    gains = {"policy.2": 0.01, "value.2": 1.0}
    for network in ("policy", "value"):
        for layer in range(3):
            name = f"{network}.{layer}"
            weight = views[f"{name}.weight"]
            rows, columns = weight.shape
            short = weight.T @ weight if columns <= rows else weight @ weight.T
            squared = gains.get(name, math.sqrt(2.0)) ** 2
            torch.testing.assert_close(
                short, squared * torch.eye(len(short)), atol=2e-6 * max(squared, 0.01), rtol=0
            )
            assert not views[f"{name}.bias"].any()
    assert views["log_std"].tolist() == [[-0.5] * ACTION]


def test_seeds_decide_initial_weights_and_nothing_else_does():
    one, several = population([7]), population([3, 7, 7])
    assert torch.equal(one.theta[0], several.theta[1])
    assert torch.equal(several.theta[1], several.theta[2])
    assert not torch.equal(several.theta[0], several.theta[1])


def test_networks_are_stacks_of_linear_layers_with_tanh_between():
    learners = population([1, 2])
    learners.theta += 0.1 * normal(*learners.theta.shape)
    parameters = learners.layout.views(learners.theta)
    x = normal(2, 9, OBSERVATION, seed=5)
    for network, size in (("policy", ACTION), ("value", 1)):
        out = learners.layout.apply(network, parameters, x)
        assert out.shape == (2, 9, size)
        for k in range(2):
            y = x[k]
            for layer in range(3):
                y = y @ parameters[f"{network}.{layer}.weight"][k]
                y = y + parameters[f"{network}.{layer}.bias"][k]
                y = torch.tanh(y) if layer < 2 else y
            torch.testing.assert_close(out[k], y, atol=1e-5, rtol=1e-5)


def test_a_policy_in_numpy_gives_the_mean_action():
    learners = population([1, 2])
    learners.theta += 0.3 * normal(*learners.theta.shape)
    observation = 4.0 + 3.0 * normal(2, 50, OBSERVATION, seed=1).double()
    learners.begin(observation)
    observation[:, 0] = 1e3  # clipped once it is normalised
    s = learners.normalise(observation)
    assert (s == 10.0).any()
    parameters = learners.layout.views(learners.theta)
    mean = learners.layout.apply("policy", parameters, s).clamp(-1.0, 1.0)
    value = learners.layout.apply("value", parameters, s)
    for k in range(2):
        policy = learners.policy(k)
        np.testing.assert_allclose(policy(observation[k].numpy()), mean[k].numpy(), atol=1e-5)
        x = s[k].numpy()
        for layer in range(3):
            x = x @ policy.extra[f"value.{layer}.weight"].T + policy.extra[f"value.{layer}.bias"]
            x = np.tanh(x) if layer < 2 else x
        np.testing.assert_allclose(x, value[k].numpy(), atol=1e-5)


# --- statistics ------------------------------------------------------------------------------


def test_running_moments_are_those_of_all_samples():
    moments = RunningMoments(2, 3, torch.device("cpu"))
    parts = [2.0 + 5.0 * normal(2, rows, 3, seed=rows).double() for rows in (1, 7, 64, 3)]
    for part in parts:
        moments.update(part)
    samples = torch.cat(parts, dim=1).numpy()
    # The prior counts as a ten-thousandth of a sample with mean 0 and variance 1.
    count = samples.shape[1] + 1e-4
    mean = samples.sum(axis=1) / count
    squares = ((samples - mean[:, None]) ** 2).sum(axis=1) + 1e-4 * (1.0 + mean**2)
    np.testing.assert_allclose(moments.mean[:, 0], mean, rtol=1e-12)
    np.testing.assert_allclose(moments.variance[:, 0], squares / count, rtol=1e-12)


def test_rewards_are_scaled_as_vec_normalize_does():
    task = replace(CARTPOLE, episode_steps=7)
    simulator = MujocoSimulator(task, 4)
    program = parse(reward_source(CARTPOLE, "expert"), task_spec(task).readable)
    raw: list[np.ndarray] = []
    environment = VecNormalize(
        RewardedSimulator(simulator, program, {}, 5, lambda _, total, parts: raw.append(total)),
        gamma=SMALL.discount,
    )
    environment.reset()
    rng = np.random.default_rng(0)
    scaled, done = [], []
    for _ in range(2 * SMALL.rollout_steps):
        _, reward, ended, _ = environment.step(rng.uniform(-1, 1, (4, 1)))
        scaled.append(reward)
        done.append(ended)
    assert 4 * 4 <= np.sum(done) < 4 * 5
    learners = population([0])
    for half in (slice(0, 16), slice(16, 32)):
        ours = learners.scale_rewards(
            torch.as_tensor(np.array(raw[half]), dtype=torch.float64).unsqueeze(0),
            torch.as_tensor(np.array(done[half]), dtype=torch.float32).unsqueeze(0),
        )
        np.testing.assert_allclose(ours[0], np.array(scaled[half]), rtol=1e-5)


# --- learning --------------------------------------------------------------------------------


def test_advantages_are_discounted_sums_of_temporal_differences():
    learners = population([0, 1])
    K, T, E = 2, SMALL.rollout_steps, SMALL.environments
    gamma, lambda_ = SMALL.discount, SMALL.gae_lambda
    r, V, last = normal(K, T, E, seed=1), normal(K, T, E, seed=2), normal(K, E, seed=3)
    done = (normal(K, T, E, seed=4) > 1.0).float()
    assert 5 < done.sum() < 60
    found = learners.advantages(r, V, last, done)
    for k, t, e in np.ndindex(K, T, E):
        expected, weight = 0.0, 1.0
        for later in range(t, T):
            following = V[k, later + 1, e] if later + 1 < T else last[k, e]
            goes_on = 1.0 - float(done[k, later, e])
            delta = r[k, later, e] + gamma * float(following) * goes_on - V[k, later, e]
            expected += weight * float(delta)
            weight *= gamma * lambda_ * goes_on
        assert float(found[k, t, e]) == pytest.approx(expected, abs=2e-5)


def plain_loss(
    settings: PpoSettings, parameters: dict[str, torch.Tensor], minibatch: torch.Tensor
) -> torch.Tensor:
    """PPO's loss of one member, written from the paper; ``minibatch (M, columns)``."""

    def network(name: str, x: torch.Tensor) -> torch.Tensor:
        for layer in range(3):
            weight, bias = (parameters[f"{name}.{layer}.{part}"] for part in ("weight", "bias"))
            x = torch.nn.functional.linear(x, weight.T, bias[0])
            x = torch.tanh(x) if layer < 2 else x
        return x

    s, a = minibatch[:, :OBSERVATION], minibatch[:, OBSERVATION : OBSERVATION + ACTION]
    old, advantage, target = minibatch[:, -3:].unbind(1)
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    distribution = Normal(network("policy", s), parameters["log_std"][0].exp())
    ratio = (distribution.log_prob(a).sum(1) - old).exp()
    clip = settings.clip_range
    gain = torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()
    error = torch.nn.functional.mse_loss(network("value", s)[:, 0], target)
    entropy = distribution.entropy().sum(1).mean()
    return settings.value_coefficient * error - gain - settings.entropy_coefficient * entropy


@pytest.mark.parametrize("most", [0.5, 1e6], ids=["clipped", "whole"])
def test_gradients_are_those_of_each_members_own_loss(most: float):
    settings = replace(SMALL, max_gradient_norm=most)
    learners = population([4, 5, 6], settings)
    learners.theta += 0.2 * normal(*learners.theta.shape)
    minibatch = made_up_batch(learners, 40)
    found, divergence = learners.gradient(minibatch)
    lengths = []
    for k in range(3):
        views = learners.layout.views(learners.theta[k : k + 1])
        own = {name: view[0].clone().requires_grad_() for name, view in views.items()}
        plain_loss(settings, own, minibatch[k]).backward()
        lengths.append(float(torch.nn.utils.clip_grad_norm_(list(own.values()), most)))
        gradients = [parameter.grad for parameter in own.values()]
        expected = torch.cat([g.flatten() for g in gradients if g is not None])
        torch.testing.assert_close(found[k], expected, atol=1e-5, rtol=1e-4)
    assert all(0.5 < length < 1e6 for length in lengths)
    assert divergence.shape == (3,) and (divergence > 0).all()


def test_one_row_has_no_spread_to_divide_by():
    learners = population([1])
    gradient, _ = learners.gradient(made_up_batch(learners, 1))
    assert torch.isfinite(gradient).all() and gradient.any()


def test_adam_is_torchs():
    learners = population([0, 1])
    parameter = torch.nn.Parameter(learners.theta.clone())
    rate = SMALL.learning_rate
    optimiser = torch.optim.Adam([parameter], lr=rate, eps=1e-5)
    everybody = torch.ones(2, dtype=torch.bool)
    for step in range(20):
        gradient = 10.0 ** (step % 5 - 4) * normal(*learners.theta.shape, seed=step)
        learners.adam_step(gradient, everybody)
        parameter.grad = gradient
        optimiser.step()
    torch.testing.assert_close(learners.theta, parameter.data, atol=2e-6, rtol=0)


def test_the_learning_rate_falls_linearly_to_zero():
    everybody = torch.ones(1, dtype=torch.bool)
    moved = []
    for share in (0.0, 0.5, 1.0):
        learners = population([0], replace(SMALL, anneal=True))
        learners.steps = round(share * learners.total_steps)
        before = learners.theta.clone()
        learners.adam_step(torch.ones_like(before), everybody)
        moved.append(float((before - learners.theta).mean()))
    assert moved[0] == pytest.approx(SMALL.learning_rate, rel=1e-3)
    assert moved[1] == pytest.approx(moved[0] / 2, rel=1e-3)
    assert moved[2] == 0.0


def test_who_strayed_rests_while_others_learn():
    settings = replace(SMALL, target_kl=0.05)
    learners, free = population([1, 2], settings), population([1, 2])
    batch = made_up_batch(learners, 64)
    batch[0, :, -3] += 1.0  # the actions of member 0 are now e times less probable than they were
    start = learners.theta.clone()
    for one in (learners, free):
        one.optimise(batch)
    assert torch.equal(learners.theta[0], start[0])
    assert not learners.first_moment[0].any() and not learners.second_moment[0].any()
    assert learners.updates[:, 0].tolist() == [0, 6]
    assert torch.equal(learners.theta[1], free.theta[1])
    assert not torch.equal(free.theta[0], start[0])


def test_who_strays_in_the_middle_keeps_what_it_learned_until_then():
    settings = replace(SMALL, target_kl=0.05, learning_rate=0.02, epochs=10)
    both, alone = population([1, 2], settings), population([2], settings)
    batch = made_up_batch(both, 64)
    batch[0, :, -2] *= 0.0  # nothing draws the policy of member 0 anywhere
    for one, rows in ((both, batch), (alone, batch[1:])):
        one.optimise(rows)
    assert 1 < float(both.updates[1]) < 20
    assert float(both.updates[0]) > float(both.updates[1])
    assert torch.equal(both.theta[1], alone.theta[0])
    # It stopped because the next gradient's rows were too far.
    _, divergence = alone.gradient(batch[1:])
    assert float(divergence) > 0.05


# --- in a simulator --------------------------------------------------------------------------


def simulated(task: Task, seeds: Sequence[int], settings: PpoSettings) -> tuple[Any, Population]:
    simulator = MujocoSimulator(task, len(seeds) * settings.environments)
    learners = population(
        seeds,
        settings,
        observation=simulator.observation_size,
        action=simulator.action_size,
    )
    simulator.reset(list(seeds))
    learners.begin(learners.tensor(simulator.observe()))
    return simulator, learners


def reward_of(experience: Experience) -> torch.Tensor:
    """Some reward of a member's own observations and actions."""
    return (experience.s[..., 1] - 0.1 * experience.a.square().sum(-1)).double()


def learn(task: Task, seeds: Sequence[int], settings: PpoSettings, rollouts: int) -> Population:
    simulator, learners = simulated(task, seeds, settings)
    for _ in range(rollouts):
        experience = learners.collect(simulator, lambda step: None)
        learners.learn(experience, reward_of(experience))
    simulator.close()
    return learners


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        (CARTPOLE, CARTPOLE.ppo),
        (HOPPER, replace(HOPPER.ppo, epochs=2)),
        # A last minibatch that is smaller, layers of odd widths, members that strayed.
        (HOPPER, replace(SMALL, minibatch_size=27, hidden_sizes=(9,), target_kl=0.01)),
        (CARTPOLE, replace(SMALL, environments=1, learning_rate=0.01, target_kl=0.01)),
    ],
    ids=["cartpole", "hopper", "hopper-odd", "cartpole-one-environment"],
)
def test_a_member_learns_the_same_to_the_last_bit_whoever_is_beside_it(task, settings):
    alone = learn(task, [3], settings, 2).snapshot(0)
    for seeds in ([3, 8], [5, 3], [1, 2, 3, 4, 3]):
        learners = learn(task, seeds, settings, 2)
        for k, seed in enumerate(seeds):
            beside = learners.snapshot(k)
            same = {name: np.array_equal(beside[name], alone[name]) for name in alone}
            if seed == 3:
                assert all(same.values()), same
            else:
                assert not same["theta"]


def test_actions_are_drawn_from_the_policys_distribution():
    simulator, learners = simulated(HOPPER, [1, 2], replace(SMALL, rollout_steps=64))
    experience = learners.collect(simulator, lambda step: None)
    parameters = learners.layout.views(learners.theta)
    K, T, E = experience.done.shape
    mean = learners.layout.apply("policy", parameters, experience.s.view(K, T * E, -1))
    distribution = Normal(mean.view(K, T, E, -1), parameters["log_std"].exp().unsqueeze(1))
    torch.testing.assert_close(
        experience.log_probability,
        distribution.log_prob(experience.a).sum(-1),
        atol=1e-4,
        rtol=1e-4,
    )
    z = (experience.a - distribution.mean) / distribution.stddev
    assert abs(float(z.mean())) < 0.1 and abs(float(z.std()) - 1.0) < 0.1


def test_an_episode_without_time_left_is_bootstrapped_and_one_that_failed_is_not():
    task = replace(HOPPER, episode_steps=9)
    simulator, learners = simulated(task, [1, 2], replace(SMALL, rollout_steps=64))
    steps: list[Any] = []
    experience = learners.collect(simulator, steps.append)
    truncated = np.stack([step.truncated.reshape(2, 4) for step in steps], axis=1)
    terminated = np.stack([step.terminated.reshape(2, 4) for step in steps], axis=1)
    assert truncated.any() and terminated.any()
    np.testing.assert_array_equal(experience.done.bool(), truncated | terminated)
    np.testing.assert_array_equal(experience.bootstrap != 0, truncated)


def test_an_update_is_stable_baselines3s():
    """The same rollout and weights give the same weights after three epochs of a whole batch."""
    settings = replace(SMALL, minibatch_size=SMALL.rollout_steps * SMALL.environments)
    simulator, learners = simulated(replace(HOPPER, episode_steps=12), [3], settings)
    learners.theta += 0.1 * normal(*learners.theta.shape)
    experience = learners.collect(simulator, lambda step: None)
    assert experience.done.any() and experience.bootstrap.any()
    reward = reward_of(experience)

    program = parse(reward_source(HOPPER, "expert"), task_spec(HOPPER).readable)
    environment = RewardedSimulator(simulator, program, {}, 0, lambda *_: None)
    sizes = list(settings.hidden_sizes)
    model = PPO(
        "MlpPolicy",
        environment,
        learning_rate=settings.learning_rate,
        n_steps=settings.rollout_steps,
        batch_size=settings.minibatch_size,
        n_epochs=settings.epochs,
        gamma=settings.discount,
        gae_lambda=settings.gae_lambda,
        ent_coef=settings.entropy_coefficient,
        policy_kwargs={
            "net_arch": {"pi": sizes, "vf": sizes},
            "activation_fn": torch.nn.Tanh,
            "optimizer_kwargs": {"eps": 1e-5},
        },
    )
    model.set_logger(Logger(None, []))
    network: Any = model.policy
    layers = {
        **{f"policy.{k}": network.mlp_extractor.policy_net[2 * k] for k in range(2)},
        **{f"value.{k}": network.mlp_extractor.value_net[2 * k] for k in range(2)},
        "policy.2": network.action_net,
        "value.2": network.value_net,
    }
    views = learners.layout.views(learners.theta)
    with torch.no_grad():
        network.log_std.copy_(views["log_std"][0, 0])
        for name, layer in layers.items():
            layer.weight.copy_(views[f"{name}.weight"][0].T)
            layer.bias.copy_(views[f"{name}.bias"][0, 0])

    scaled = population([3], settings).scale_rewards(reward, experience.done)
    scaled += settings.discount * experience.bootstrap
    buffer = model.rollout_buffer
    with torch.no_grad():
        for t in range(settings.rollout_steps):
            s, a = experience.s[0, t], experience.a[0, t]
            value, log_probability, _ = network.evaluate_actions(s, a)
            before = experience.done[0, t - 1] if t else torch.ones(4)
            buffer.add(
                s.numpy(), a.numpy(), scaled[0, t].numpy(), before.numpy(), value, log_probability
            )
        last = network.predict_values(experience.next_s[0])
    buffer.compute_returns_and_advantage(last, experience.done[0, -1].numpy())
    model.train()
    assert model._n_updates == settings.epochs

    start = learners.theta.clone()
    learners.learn(experience, reward)
    assert float((learners.theta - start).abs().max()) > 5e-4
    views = learners.layout.views(learners.theta)
    with torch.no_grad():
        torch.testing.assert_close(views["log_std"][0, 0], network.log_std, atol=1e-5, rtol=0)
        for name, layer in layers.items():
            for ours, theirs in (
                (views[f"{name}.weight"][0].T, layer.weight),
                (views[f"{name}.bias"][0, 0], layer.bias),
            ):
                torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_a_snapshot_goes_on_in_another_population():
    simulator, learners = simulated(HOPPER, [1, 2], SMALL)
    experiences = []
    for _ in range(2):
        experience = learners.collect(simulator, lambda step: None)
        learners.learn(experience, reward_of(experience))
        experiences.append(experience)
    whole = learners.snapshot(1)

    simulator, learners = simulated(HOPPER, [1, 2], SMALL)
    experience = learners.collect(simulator, lambda step: None)
    learners.learn(experience, reward_of(experience))
    half, state = learners.snapshot(1), simulator.snapshot(slice(4, 8))
    simulator, other = simulated(HOPPER, [9, 8, 7], SMALL)
    other.restore(2, half)
    other.steps = learners.steps
    simulator.restore(slice(8, 12), state)
    experience = other.collect(simulator, lambda step: None)
    assert torch.equal(experience.a[2], experiences[1].a[1])
    other.learn(experience, reward_of(experience))
    found = other.snapshot(2)
    assert {name: np.array_equal(found[name], whole[name]) for name in whole} == dict.fromkeys(
        whole, True
    )


def test_only_members_with_numbers_are_finite():
    learners = population([1, 2, 3, 4])
    assert learners.finite().tolist() == [True] * 4
    learners.theta[0, 5] = math.nan
    learners.observations.variance[1, 0, 2] = math.inf
    learners.discounted[3, 1] = math.nan
    assert learners.finite().tolist() == [False, False, True, False]
