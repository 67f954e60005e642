"""Models of stable-baselines3: read without unpickling, never trusted, and written to be loaded."""

import dataclasses
import io
import json
import math
import os
import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, DDPG, PPO, SAC, TD3

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ActionSpace
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.simulation.policy import Policy, load_policy, save_policy
from reward_synth.simulation.sb3_export import compare, rows_of, save_sb3, to_sb3
from reward_synth.task import load_task
from tests.simulation.test_policy import make_policy

OBSERVATION, ACTION = 5, 2
SPACE = ActionSpace("continuous", ACTION)


class Space(gymnasium.Env):
    """What a model has to know of an environment: its spaces."""

    def __init__(self, low: float = -1.0, high: float = 1.0, discrete: bool = False) -> None:
        self.observation_space = spaces.Box(-np.inf, np.inf, (OBSERVATION,))
        self.action_space = spaces.Discrete(2) if discrete else spaces.Box(low, high, (ACTION,))


def observations(scale: float = 3.0) -> np.ndarray:
    drawn = np.random.default_rng(0).normal(size=(200, OBSERVATION))
    return (scale * drawn).astype(np.float32)


def saved(tmp_path: Path, algorithm: Any, space: Space | None = None, **settings: Any) -> Any:
    """An untrained model with large weights, and its file."""
    torch.manual_seed(1)
    buffer: dict[str, Any] = {} if algorithm in (PPO, A2C) else {"buffer_size": 10}
    model = algorithm("MlpPolicy", space or Space(), policy_kwargs=settings, device="cpu", **buffer)
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.mul_(3.0).add_(0.05 * torch.randn_like(parameter))
    model.save(tmp_path / "model.zip")
    return model, tmp_path / "model.zip"


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_policy(path, OBSERVATION, SPACE)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


# --- in --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "settings"),
    [
        (PPO, {}),
        (PPO, {"net_arch": [7], "activation_fn": torch.nn.ReLU}),
        (PPO, {"net_arch": []}),
        (A2C, {"net_arch": {"pi": [8, 9, 10], "vf": []}}),
        (SAC, {"net_arch": [16, 8]}),
        (SAC, {"net_arch": [], "activation_fn": torch.nn.Tanh}),
        (TD3, {"net_arch": [16, 8]}),
        (TD3, {"net_arch": [6], "activation_fn": torch.nn.Tanh}),
        (DDPG, {"net_arch": []}),
    ],
)
def test_a_models_policy_acts_as_the_model(tmp_path, algorithm, settings):
    model, path = saved(tmp_path, algorithm, **settings)
    policy = load_policy(path, OBSERVATION, SPACE)
    expected, _ = model.predict(observations(), deterministic=True)
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(policy(observations()), expected, atol=1e-5)
    save_policy(tmp_path / "kept", policy)
    kept = load_policy(tmp_path / "kept", OBSERVATION, SPACE)
    np.testing.assert_array_equal(kept(observations()), policy(observations()))


def test_ppo_with_state_dependent_exploration_may_squash(tmp_path):
    torch.manual_seed(0)
    model = PPO("MlpPolicy", Space(), use_sde=True, policy_kwargs={"squash_output": True})
    model.save(tmp_path / "model.zip")
    policy = load_policy(tmp_path / "model.zip", OBSERVATION, SPACE)
    expected, _ = model.predict(observations(1000), deterministic=True)
    assert policy.squash
    np.testing.assert_allclose(policy(observations(1000)), expected, atol=1e-5)


def test_squashed_actions_are_scaled_to_whatever_range_the_task_has(tmp_path):
    model, path = saved(tmp_path, TD3, Space(-0.4, 0.4), net_arch=[6])
    expected, _ = model.predict(observations(), deterministic=True)
    action = load_policy(path, OBSERVATION, SPACE)(observations())
    np.testing.assert_allclose(0.4 * action, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("algorithm", "space", "settings", "words"),
    [
        (
            PPO,
            Space(-0.4, 0.4),
            {},
            "low of its actions is [-0.4 -0.4], but actions have to be in [-1, 1]",
        ),
        (PPO, Space(-1.0, 2.0), {}, "high of its actions is [2. 2.]"),
        (PPO, Space(discrete=True), {}, "discrete [2], but the task's are continuous"),
        (
            PPO,
            None,
            {"activation_fn": torch.nn.ELU},
            "activation ELU is not supported; tanh and relu",
        ),
    ],
)
def test_models_that_are_not_understood(tmp_path, algorithm, space, settings, words):
    _, path = saved(tmp_path, algorithm, space, **settings)
    assert words in refusal(path)


def test_sac_with_state_dependent_exploration_is_not_supported(tmp_path):
    SAC("MlpPolicy", Space(), use_sde=True, buffer_size=10).save(tmp_path / "model.zip")
    assert "SAC with use_sde is not supported" in refusal(tmp_path / "model.zip")


def test_models_of_another_task(tmp_path):
    _, path = saved(tmp_path, PPO)
    with pytest.raises(UserError, match="takes 5 observation entries, but the task gives 4"):
        load_policy(path, 4, SPACE)
    with pytest.raises(UserError, match="gives 2 action entries, but the task takes 3"):
        load_policy(path, OBSERVATION, ActionSpace("continuous", 3))


# --- hostile ---------------------------------------------------------------------------------


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def torch_bytes(state: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(state, stream)
    return stream.getvalue()


def model_zip(path: Path, packing: int = zipfile.ZIP_STORED, **members: bytes | None) -> Path:
    """A sound PPO model's members, some of them replaced; None leaves one out."""
    _, sound = saved(path.parent, PPO)
    with zipfile.ZipFile(sound) as archive:
        parts: dict[str, bytes | None] = {n: archive.read(n) for n in archive.namelist()}
    parts |= {name.replace("__", "."): content for name, content in members.items()}
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in parts.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def state_dict(**changes: Any) -> dict[str, Any]:
    state = PPO("MlpPolicy", Space(), device="cpu").policy.state_dict()
    state |= {name.replace("__", "."): value for name, value in changes.items()}
    return OrderedDict((name, value) for name, value in state.items() if value is not None)


def repacked(data: bytes, change: Callable[[str, bytes], bytes], packing: int = 0) -> bytes:
    """torch's archive with its members changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", packing) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return stream.getvalue()


def test_repacking_alone_does_no_harm(tmp_path):
    path = model_zip(tmp_path / "packed.zip", zipfile.ZIP_DEFLATED)
    assert load_policy(path, OBSERVATION, SPACE).activation == "tanh"


@pytest.mark.parametrize("where", ["in the state", "as the state", "as an old pickle"])
def test_a_pickle_bomb_does_not_go_off(tmp_path, where):
    crater = tmp_path / "crater"
    bomb = Bomb(crater)
    content = {
        "in the state": lambda: torch_bytes(state_dict(log_std=bomb)),
        "as the state": lambda: torch_bytes(bomb),
        "as an old pickle": lambda: pickle.dumps(bomb),
    }[where]()
    message = refusal(model_zip(tmp_path / "bomb.zip", policy__pth=content))
    assert "policy.pth" in message
    assert not crater.exists()


def test_pickled_entries_of_the_json_are_never_read(tmp_path):
    crater = tmp_path / "crater"
    pickled = pickle.dumps(Bomb(crater)).hex()
    facts = {"policy_class": {":type:": "x", ":serialized:": pickled}, "policy_kwargs": {}}
    path = model_zip(tmp_path / "bomb.zip", data=json.dumps(facts).encode())
    assert load_policy(path, OBSERVATION, SPACE).activation == "tanh"
    assert not crater.exists()


def stretched(size: int) -> torch.Tensor:
    return torch.zeros(1).expand(size, OBSERVATION)


FIRST = "mlp_extractor__policy_net__0__weight"
NAN = torch.full((64, OBSERVATION), math.nan)
HOSTILE: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "no policy": (lambda: {"policy__pth": None}, "has no policy.pth"),
    "no data": (lambda: {"data": None}, "has no data"),
    "data that is no JSON": (lambda: {"data": b"\xff{"}, "data is not JSON"),
    "deep data": (lambda: {"data": b"[" * 10**6}, "data is not JSON"),
    "a list of data": (lambda: {"data": b"[]"}, "data is not a JSON object"),
    "large data": (lambda: {"data": b" " * (8 * 2**20 + 1)}, "data is larger than 8388608 bytes"),
    "a large state": (
        lambda: {"policy__pth": bytes(64 * 2**20 + 1), "packing": zipfile.ZIP_DEFLATED},
        "policy.pth is larger than 67108864 bytes",
    ),
    "a large weight in the state": (
        lambda: {
            "policy__pth": repacked(
                torch_bytes(state_dict()),
                lambda name, old: bytes(64 * 2**20 + 1) if name.endswith("data/0") else old,
                zipfile.ZIP_DEFLATED,
            ),
        },
        "archive/data/0 is larger than 67",
    ),
    "a large pickle in the state": (
        lambda: {
            "policy__pth": repacked(
                torch_bytes(state_dict()),
                lambda name, old: bytes(2**20) if name.endswith("data.pkl") else old,
            ),
        },
        "data.pkl is larger than 262144 bytes",
    ),
    "a strange packing": (lambda: {"packing": zipfile.ZIP_LZMA}, "is packed in a way"),
    "a state that is no archive": (lambda: {"policy__pth": b"nothing"}, "is not what torch has"),
    "a broken archive": (lambda: {"policy__pth": b"PK\x03\x04"}, "is not a whole zip archive"),
    "a pickle that is none": (
        lambda: {
            "policy__pth": repacked(
                torch_bytes(state_dict()),
                lambda name, old: b"\xff" if name.endswith("data.pkl") else old,
            ),
        },
        "policy.pth cannot be read",
    ),
    "a storage that is too short": (
        lambda: {
            "policy__pth": repacked(
                torch_bytes(state_dict()),
                lambda name, old: old[:8] if name.endswith("data/1") else old,
            ),
        },
        "policy.pth cannot be read",
    ),
    "a bytearray of any size": (
        lambda: {"policy__pth": torch_bytes(state_dict(log_std=bytearray(8)))},
        "asks for '__builtin__.bytearray'",
    ),
    "a number": (lambda: {"policy__pth": torch_bytes(3)}, "policy.pth is not a state dict"),
    "numbered weights": (lambda: {"policy__pth": torch_bytes({1: 2})}, "is not a state dict"),
    "no weights": (lambda: {"policy__pth": torch_bytes({})}, "its networks are not understood"),
    "another network": (
        lambda: {"policy__pth": torch_bytes(state_dict(lstm_actor__weight=torch.zeros(1)))},
        "'lstm_actor.weight' is of none",
    ),
    "a gap in the layers": (
        lambda: {
            "policy__pth": torch_bytes(
                state_dict(mlp_extractor__policy_net__5__weight=torch.zeros(1))
            )
        },
        "is not linear layers with activations between",
    ),
    "no bias": (
        lambda: {"policy__pth": torch_bytes(state_dict(action_net__bias=None))},
        "has no tensor action_net.bias",
    ),
    "layers that do not fit": (
        lambda: {"policy__pth": torch_bytes(state_dict(action_net__weight=torch.zeros(2, 3)))},
        "action_net does not fit the layer before it",
    ),
    "whole numbers": (
        lambda: {"policy__pth": torch_bytes(state_dict(**{FIRST: torch.ones(64, 5).long()}))},
        "is torch.int64 of shape (64, 5)",
    ),
    "a number that is a weight": (
        lambda: {"policy__pth": torch_bytes(state_dict(**{FIRST: 3.0}))},
        "has no tensor mlp_extractor.policy_net.0.weight",
    ),
    "one number stretched to a terabyte": (
        lambda: {"policy__pth": torch_bytes(state_dict(**{FIRST: stretched(2**36)}))},
        "that it has not",
    ),
    "not a number": (
        lambda: {"policy__pth": torch_bytes(state_dict(**{FIRST: NAN}))},
        "entries that are not finite",
    ),
}


@pytest.mark.parametrize("members, expected", HOSTILE.values(), ids=list(HOSTILE))
def test_archives_that_hold_no_policy(tmp_path, members, expected: str) -> None:
    assert expected in refusal(model_zip(tmp_path / "hostile.zip", **members()))


def test_an_archive_that_was_cut_short(tmp_path):
    _, path = saved(tmp_path, PPO)
    whole = path.read_bytes()
    for length in (4, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        # The archive inside, which is whole, may be all that is found.
        assert re.search("is not a whole zip archive|has no data", refusal(path))


def test_an_archive_of_too_many_members(tmp_path):
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(2001):
            archive.writestr(str(index), b"")
    assert "more than 2000 members" in refusal(path)


def test_flipped_bytes_are_refused_or_harmless(tmp_path):
    _, path = saved(tmp_path, PPO, net_arch=[4])
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 100):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            action = load_policy(path, OBSERVATION, SPACE)(observations())
            assert (np.abs(action) <= 1).all()
        except UserError:
            pass


def test_a_sandboxs_safetensors_are_never_taken_for_a_model(tmp_path):
    _, path = saved(tmp_path, PPO)
    disguised = path.rename(tmp_path / "policy.safetensors")
    assert "has to be named ….zip" in refusal(disguised)


# --- out -------------------------------------------------------------------------------------


def with_values(policy: Policy) -> Policy:
    rng = np.random.default_rng(5)
    shapes = [(6, OBSERVATION), (1, 6)]
    extra = {"log_std": np.array([-0.5, 0.25], np.float32)}
    for index, shape in enumerate(shapes):
        extra[f"value.{index}.weight"] = rng.normal(size=shape).astype(np.float32)
        extra[f"value.{index}.bias"] = rng.normal(size=shape[0]).astype(np.float32)
    return dataclasses.replace(policy, extra=extra)


@pytest.mark.parametrize(
    ("activation", "squash"), [("tanh", False), ("relu", False), ("relu", True)]
)
def test_an_exported_policy_acts_the_same_on_raw_observations(tmp_path, activation, squash):
    policy = dataclasses.replace(make_policy(scale=0.4), activation=activation, squash=squash)
    path = tmp_path / "model.zip"
    save_sb3(to_sb3(policy), path)
    assert os.listdir(tmp_path) == ["model.zip"]
    model = (TD3 if squash else PPO).load(path, device="cpu")
    actions, _ = model.predict(observations(1.0), deterministic=True)
    assert np.ptp(actions) > 0.5
    np.testing.assert_allclose(actions, policy(observations(1.0)), atol=1e-5)
    again = load_policy(path, OBSERVATION, SPACE)
    np.testing.assert_allclose(again(observations(1.0)), policy(observations(1.0)), atol=1e-5)


def test_an_exported_model_knows_the_value_function_and_the_exploration(tmp_path):
    policy = with_values(make_policy(scale=0.4))
    save_sb3(to_sb3(policy), tmp_path / "model.zip")
    network: Any = PPO.load(tmp_path / "model.zip", device="cpu").policy
    normal = observations() - policy.observation_mean
    normal /= np.sqrt(policy.observation_variance + 1e-8)
    extra = policy.extra
    hidden = np.tanh(normal @ extra["value.0.weight"].T + extra["value.0.bias"])
    expected = hidden @ extra["value.1.weight"].T + extra["value.1.bias"]
    values = network.predict_values(torch.from_numpy(observations())).detach().numpy()
    np.testing.assert_allclose(values, expected, atol=1e-4)
    assert network.log_std.tolist() == [-0.5, 0.25]


def test_an_exported_model_can_be_trained_on(tmp_path):
    class Push(Space):
        """One step; the further the first action entry, the better."""

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            return np.zeros(OBSERVATION, np.float32), {}

        def step(self, action: Any) -> Any:
            return np.zeros(OBSERVATION, np.float32), float(action[0]), True, False, {}

    save_sb3(to_sb3(make_policy()), tmp_path / "model.zip")
    model = PPO.load(tmp_path / "model.zip", env=Push(), device="cpu", n_steps=8, batch_size=8)
    before = model.policy.state_dict()["log_std"].clone()
    model.learn(8)
    assert not torch.equal(model.policy.state_dict()["log_std"], before)


def test_exporting_disturbs_no_random_numbers():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    to_sb3(make_policy())
    assert torch.equal(torch.rand(2), expected)


def test_a_value_function_that_is_broken():
    policy = with_values(make_policy())
    extra = {**policy.extra, "value.0.bias": np.zeros(3)}
    with pytest.raises(UserError, match=r"value\.0\.weight does not fit"):
        to_sb3(dataclasses.replace(policy, extra=extra))
    extra = {name: array for name, array in policy.extra.items() if not name.startswith("value.1")}
    with pytest.raises(UserError, match="gives 6 values"):
        to_sb3(dataclasses.replace(policy, extra=extra))


def test_comparison_counts_what_was_clipped():
    task = load_task("cartpole-swingup")
    simulator = MujocoSimulator(task, 2)
    size = simulator.observation_size
    policy = make_policy((size, 6, 1), scale=0.3)
    steps = 2 * task.episode_steps
    wide = dataclasses.replace(policy, observation_variance=np.full(size, 1e4))
    inside = compare(wide, to_sb3(wide), simulator, seed=0)
    assert (inside.observations, inside.clipped) == (steps, 0)
    assert 0 < inside.difference < 1e-5
    narrow = dataclasses.replace(policy, observation_variance=np.full(size, 1e-8))
    assert compare(narrow, to_sb3(narrow), simulator, seed=0).clipped == steps
    simulator.close()


@pytest.mark.parametrize(
    "space",
    [
        ActionSpace("discrete", 3, (3,)),
        ActionSpace("discrete", 5, (3, 2)),
        ActionSpace("binary", 4),
    ],
)
def test_policies_that_choose_go_to_stable_baselines3_and_back(space, tmp_path) -> None:
    rng = np.random.default_rng(0)
    widths = [OBSERVATION, 8, space.size]
    policy = Policy(
        observation_mean=rng.normal(size=OBSERVATION),
        observation_variance=rng.uniform(0.5, 2.0, OBSERVATION),
        weights=tuple(rng.normal(size=(o, i)).astype(np.float32) for i, o in pairwise(widths)),
        biases=tuple(rng.normal(size=o).astype(np.float32) for o in widths[1:]),
        space=space,
    )
    path = tmp_path / "model.zip"
    model = to_sb3(policy)
    save_sb3(model, path)
    again = load_policy(path, OBSERVATION, space)
    seen = rng.normal(size=(200, OBSERVATION))
    np.testing.assert_array_equal(again(seen), policy(seen))
    chosen, _ = model.predict(seen.astype(np.float32), deterministic=True)
    np.testing.assert_array_equal(rows_of(chosen, space), policy(seen))
