"""Writes a policy as a model that stable-baselines3 loads.

A model of stable-baselines3 takes raw observations, so the policy's observation statistics are
folded into the first layer: ``W (x - mean) / std + b`` is ``(W / std) x + (b - W mean / std)``.
Nothing else is needed to load the file, no class of RewardSynth and no ``VecNormalize``.  What
cannot be folded is the clipping of normalised observations at ±10: where it is active, actions
differ.  :func:`compare` says how often that is.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ActionSpace
from reward_synth.simulation.episodes import rollout_episodes
from reward_synth.simulation.interface import Simulator
from reward_synth.simulation.policy import VARIANCE_EPSILON, Policy

if TYPE_CHECKING:
    from gymnasium import spaces
    from stable_baselines3 import PPO, TD3

    Model = PPO | TD3

CRITIC_MEAN = "critic_observation.mean"
"""What a policy's file holds where the value function has observations of its own."""
Layers = list[tuple[np.ndarray, np.ndarray]]
"""Weights ``(out, in)`` and biases ``(out,)``."""


@dataclass(frozen=True)
class Comparison:
    """How a model's actions differ from the policy's on the policy's own episodes."""

    difference: float
    """Largest absolute difference of an action entry, where nothing was clipped."""
    observations: int
    clipped: int
    """Observations with an entry that the policy clipped."""


def to_sb3(policy: Policy) -> "Model":
    """PPO for policies that clip their actions, TD3 for those that squash them with tanh.

    PPO gets the value function and ``log_std`` that the policy's file holds.  Parts that the file
    does not hold are as stable-baselines3 begins with: they matter for training, not for actions.

    Raises:
        UserError: no model of stable-baselines3 is such a network.
    """
    import torch
    from gymnasium import spaces
    from stable_baselines3 import PPO, TD3

    activation = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[policy.activation]
    layers = fold(policy, list(zip(policy.weights, policy.biases, strict=True)))
    values = value_layers(policy)
    sizes = [len(bias) for _, bias in layers[:-1]]
    everything = np.full(len(policy.observation_mean), np.inf, dtype=np.float32)
    settings: dict[str, Any] = {"activation_fn": activation}
    if policy.squash:
        settings["net_arch"] = {"pi": sizes, "qf": sizes}
        model = TD3("MlpPolicy", None, _init_setup_model=False, policy_kwargs=settings)  # pyright: ignore
        usual_buffer, model.buffer_size = model.buffer_size, 1  # nothing is collected here
    else:
        value_sizes = [len(bias) for _, bias in values[:-1]] if values else sizes
        settings["net_arch"] = {"pi": sizes, "vf": value_sizes}
        model = PPO("MlpPolicy", None, _init_setup_model=False, policy_kwargs=settings)  # pyright: ignore
    # What stable-baselines3's own `load` does where there is no environment.
    model.device = torch.device("cpu")
    model.observation_space = spaces.Box(-everything, everything)
    model.action_space = gymnasium_space(policy.action_space)
    model.n_envs = 1
    generator = torch.random.get_rng_state()
    torch.manual_seed(0)  # the same policy gives the same file
    model._setup_model()
    torch.random.set_rng_state(generator)
    network: Any = model.policy
    if isinstance(model, TD3):
        model.buffer_size = usual_buffer  # pyright: ignore
        copy_layers(layers, [network.actor.mu])
        copy_layers(layers, [network.actor_target.mu])
        return model
    copy_layers(layers, [network.mlp_extractor.policy_net, network.action_net])
    if values:
        copy_layers(fold(policy, values), [network.mlp_extractor.value_net, network.value_net])
    log_std = policy.extra.get("log_std")
    if log_std is not None and log_std.shape == (len(policy.biases[-1]),):
        with torch.no_grad():
            network.log_std.copy_(torch.from_numpy(log_std))
    return model


def gymnasium_space(space: ActionSpace) -> "spaces.Space[Any]":
    """The space of a policy's actions as stable-baselines3 takes it."""
    from gymnasium import spaces

    if space.kind == "continuous":
        bound = np.ones(space.size, dtype=np.float32)
        return spaces.Box(-bound, bound)
    if space.kind == "binary":
        return spaces.MultiBinary(space.size)
    if len(space.choices) == 1:
        return spaces.Discrete(space.size)
    return spaces.MultiDiscrete(list(space.choices))


def rows_of(actions: np.ndarray, space: ActionSpace) -> np.ndarray:
    """Rows ``(N, A)`` of an action space for actions as stable-baselines3 gives them."""
    if space.kind == "discrete":
        return space.one_hot(actions.reshape(len(actions), -1))
    return actions


def save_sb3(model: "Model", path: Path) -> None:
    """Write the model, all at once or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        with open(partial, "wb") as file:
            model.save(file)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def compare(policy: Policy, model: "Model", simulator: Simulator, seed: int) -> Comparison:
    """Play one episode in every environment with the policy, and ask the model too."""
    scale = np.sqrt(policy.observation_variance + VARIANCE_EPSILON)
    differences: list[np.ndarray] = []
    clipped: list[np.ndarray] = []

    def act(observation: np.ndarray) -> np.ndarray:
        action = policy(observation)
        predicted, _ = model.predict(observation.astype(np.float32), deterministic=True)
        other = rows_of(predicted, policy.action_space)
        normal = np.abs((observation - policy.observation_mean) / scale)
        clipped.append(np.any(normal > policy.observation_clip, axis=1))
        differences.append(np.abs(action - other).max(axis=1))
        return action

    rollout_episodes(simulator, act, simulator.num_envs, seed)
    difference, outside = np.concatenate(differences), np.concatenate(clipped)
    inside = difference[~outside]
    return Comparison(float(inside.max(initial=0.0)), len(outside), int(outside.sum()))


def fold(policy: Policy, layers: Layers) -> Layers:
    """The same layers for raw observations; float64 until the last rounding."""
    (weight, bias), *others = layers
    scaled = weight / np.sqrt(policy.observation_variance + VARIANCE_EPSILON)
    return [(scaled, bias - scaled @ policy.observation_mean), *others]


def value_layers(policy: Policy) -> Layers:
    """The value function that a policy's file holds beside it; empty where there is none.

    Raises:
        UserError: its layers do not fit together.
    """
    if CRITIC_MEAN in policy.extra:
        return []  # of observations of its own, which stable-baselines3 does not know
    layers: Layers = []
    width = len(policy.observation_mean)
    while (name := f"value.{len(layers)}.weight") in policy.extra:
        weight = policy.extra[name]
        bias = policy.extra.get(f"value.{len(layers)}.bias", np.empty(0))
        if weight.ndim != 2 or bias.shape != weight.shape[:1] or weight.shape[1] != width:
            raise UserError(f"{name} does not fit the layer before it; the policy's file is broken")
        layers.append((weight, bias))
        width = len(bias)
    if layers and width != 1:
        raise UserError(f"the value function gives {width} values; the policy's file is broken")
    return layers


def copy_layers(layers: Layers, networks: list[Any]) -> None:
    """Put the layers into the linear layers of the networks, in order."""
    import torch

    linear = [
        module
        for network in networks
        for module in network.modules()
        if isinstance(module, torch.nn.Linear)
    ]
    with torch.no_grad():
        for module, (weight, bias) in zip(linear, layers, strict=True):
            module.weight.copy_(torch.from_numpy(np.array(weight)))
            module.bias.copy_(torch.from_numpy(np.array(bias)))
