"""Policies and their files: what is computed, and that no file can do harm."""

import dataclasses
import itertools
import json
import math
import os
import resource
import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ActionSpace
from reward_synth.simulation.policy import LARGEST_FILE, Policy, load_policy, save_policy

OBSERVATION, ACTION = 5, 2
SPACE = ActionSpace("continuous", ACTION)


def make_policy(sizes: tuple[int, ...] = (OBSERVATION, 8, 7, ACTION), scale: float = 1.0) -> Policy:
    rng = np.random.default_rng(0)
    pairs = list(itertools.pairwise(sizes))
    return Policy(
        observation_mean=rng.normal(size=sizes[0]),
        observation_variance=rng.uniform(0.5, 2.0, sizes[0]),
        weights=tuple(scale * rng.normal(size=(n, m)).astype(np.float32) for m, n in pairs),
        biases=tuple(scale * rng.normal(size=n).astype(np.float32) for _, n in pairs),
    )


def tensors_of(policy: Policy) -> dict[str, np.ndarray]:
    tensors = {
        "observation.mean": policy.observation_mean,
        "observation.variance": policy.observation_variance,
    }
    for index, (weight, bias) in enumerate(zip(policy.weights, policy.biases, strict=True)):
        tensors[f"policy.{index}.weight"], tensors[f"policy.{index}.bias"] = weight, bias
    return tensors


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_policy(path, OBSERVATION, SPACE)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("sizes", [(5, 2), (5, 8, 2), (5, 8, 7, 2)])
def test_a_policy_is_the_same_network_as_in_torch(sizes: tuple[int, ...]) -> None:
    policy = make_policy(sizes, scale=0.3)
    layers: list[torch.nn.Module] = []
    for weight, bias in zip(policy.weights, policy.biases, strict=True):
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        layer.weight.data, layer.bias.data = torch.from_numpy(weight), torch.from_numpy(bias)
        layers += [layer, torch.nn.Tanh()]
    network = torch.nn.Sequential(*layers[:-1])
    observation = 30 * np.random.default_rng(1).normal(size=(64, 5))
    normal = (observation - policy.observation_mean) / np.sqrt(policy.observation_variance + 1e-8)
    assert (np.abs(normal) > 10).any(), "some are clipped"
    expected = network(torch.from_numpy(np.clip(normal, -10, 10).astype(np.float32)))
    expected = expected.clamp(-1, 1).detach().numpy()
    np.testing.assert_allclose(policy(observation), expected, atol=1e-5)


def test_a_policy_survives_its_file_with_whatever_else_is_kept_there(tmp_path) -> None:
    policy = make_policy()
    extra = {"log_std": np.zeros(2, np.float32), "value.0.weight": np.ones((1, 5), np.float32)}
    path = tmp_path / "policy.safetensors"
    save_policy(path, policy, extra)
    assert os.listdir(tmp_path) == ["policy.safetensors"]
    loaded = load_policy(path, OBSERVATION, SPACE)
    observation = np.random.default_rng(0).normal(size=(9, 5))
    np.testing.assert_array_equal(loaded(observation), policy(observation))
    assert set(loaded.extra) == {"log_std", "value.0.weight"}
    save_policy(tmp_path / "again", loaded)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_extra_tensors_cannot_pass_for_layers(tmp_path) -> None:
    with pytest.raises(ValueError, match="may not be named"):
        save_policy(tmp_path / "p", make_policy(), {"policy.3.weight": np.zeros((2, 2))})


@settings(max_examples=30)
@given(scale=st.sampled_from([0.0, 1.0, 1e20, 3e38]), seed=st.integers(0, 2**32))
def test_actions_are_always_in_range(scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    policy = make_policy(scale=1.0)
    huge = tuple(np.float32(scale) * np.clip(weight, -1, 1) for weight in policy.weights)
    policy = Policy(policy.observation_mean, policy.observation_variance, huge, policy.biases)
    action = policy(10.0 ** rng.uniform(-3, 300) * rng.normal(size=(4, 5)))
    assert action.shape == (4, 2)
    assert (np.abs(action) <= 1).all()


GOOD = tensors_of(make_policy())
F = np.float32
WRONG = {
    "no mean": ({"observation.mean": None}, "has no tensor observation.mean"),
    "no variance": ({"observation.variance": None}, "has no tensor observation.variance"),
    "no layers": (
        {name: None for name in GOOD if name.startswith("policy.")},
        "has no policy.0.weight",
    ),
    "no bias": ({"policy.1.bias": None}, "has no tensor policy.1.bias"),
    "a gap in the layers": ({"policy.1.weight": None}, "gives 8 action entries"),
    "another task's observation": (
        {"observation.mean": np.zeros(4), "observation.variance": np.ones(4)},
        "observation.mean has shape (4,), not (5,)",
    ),
    "another task's action": (
        {"policy.2.weight": np.zeros((3, 7), F), "policy.2.bias": np.zeros(3, F)},
        "gives 3 action entries, but the task takes 2",
    ),
    "layers that do not fit": (
        {"policy.1.weight": np.zeros((7, 9), F)},
        "policy.1.weight has shape (7, 9), not (7, 8)",
    ),
    "a flat weight": ({"policy.0.weight": np.zeros(40, F)}, "has shape (40,)"),
    "an empty layer": (
        {"policy.0.weight": np.zeros((0, 5), F), "policy.0.bias": np.zeros(0, F)},
        "policy.0.weight has shape (0, 5)",
    ),
    "a long bias": ({"policy.0.bias": np.zeros(9, F)}, "policy.0.bias has shape (9,), not (8,)"),
    "mixed types": ({"policy.0.bias": np.zeros(8)}, "not all of one dtype"),
    "whole numbers": ({"policy.0.bias": np.zeros(8, np.int64)}, "is int64; a policy holds float32"),
    "half precision": ({"policy.0.bias": np.zeros(8, np.float16)}, "is float16"),
    "not a number": ({"policy.0.bias": np.full(8, np.nan, F)}, "entries that are not finite"),
    "infinite extra": ({"log_std": np.array([np.inf])}, "log_std has entries that are not finite"),
    "negative variance": ({"observation.variance": -np.ones(5)}, "has negative entries"),
    "a stray layer": ({"policy.7.weight": np.zeros((2, 2), F)}, "unexpected tensor policy.7"),
    "a strange layer": ({"policy.x": np.zeros(2, F)}, "unexpected tensor policy.x"),
    "a strange name": ({"../../x\n": np.zeros(2, F)}, "a tensor is named '../../x\\n'"),
}


@pytest.mark.parametrize("changes, expected", WRONG.values(), ids=list(WRONG))
def test_files_that_hold_no_policy_for_the_task(tmp_path, changes, expected: str) -> None:
    path = tmp_path / "policy.safetensors"
    tensors = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    safetensors.numpy.save_file(tensors, path)
    assert expected in refusal(path)


def with_header(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def claims(**entries) -> bytes:
    return json.dumps({name: {"dtype": "F32", **entry} for name, entry in entries.items()}).encode()


BROKEN = {
    "empty": b"",
    "short": b"\0\0\0",
    "zeros": bytes(64),
    "text": b"import os; os.system('true')\n" * 10,
    "a pickle": b"\x80\x04cposix\nsystem\n(S'true'\ntR.",
    "a header of 2^63": b"\xff" * 7 + b"\x7f" + b"{}",
    "a header beyond the file": struct.pack("<Q", 60_000) + b"{}",
    "a header that is no JSON": with_header(b"{" * 100),
    "a deeply nested header": with_header(b"[" * 60_000),
    "a list for a header": with_header(b"[]"),
    "nothing inside": with_header(b"{}"),
    "a tensor without data": with_header(claims(a={"shape": [4], "data_offsets": [0, 16]})),
    "a shape of 2^62": with_header(claims(a={"shape": [2**62], "data_offsets": [0, 4]}), b"1234"),
    "shapes that overflow": with_header(
        claims(a={"shape": [2**32, 2**32], "data_offsets": [0, 0]})
    ),
    "a negative shape": with_header(claims(a={"shape": [-1], "data_offsets": [0, 4]}), b"1234"),
    "offsets backwards": with_header(claims(a={"shape": [1], "data_offsets": [4, 0]}), b"1234"),
    "two tensors in one place": with_header(
        claims(a={"shape": [1], "data_offsets": [0, 4]}, b={"shape": [1], "data_offsets": [0, 4]}),
        b"1234",
    ),
    "an unknown type": with_header(
        b'{"a":{"dtype":"Q9","shape":[1],"data_offsets":[0,4]}}', b"1234"
    ),
    "bfloat16": with_header(b'{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}', b"1234"),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=list(BROKEN))
def test_files_that_are_no_safetensors(tmp_path, content: bytes) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(content)
    refusal(path)


def test_claims_in_a_header_allocate_nothing(tmp_path) -> None:
    path = tmp_path / "policy.safetensors"
    names = {f"t{i}": {"shape": [2**40], "data_offsets": [0, 2**42]} for i in range(500)}
    path.write_bytes(with_header(claims(**names)))
    refusal(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    header = b'{"a":' + b"[" * (40 * 2**20)
    path.write_bytes(with_header(header))
    assert "its header claims" in refusal(path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200 * 1024, "kB; parsing those 40 MB would have taken gigabytes"


def test_what_is_no_file_is_refused_without_waiting(tmp_path) -> None:
    assert "No such file" in refusal(tmp_path / "nothing")
    assert "Is a directory" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "not a file" in refusal(tmp_path / "pipe")
    assert "not a file" in refusal(Path("/dev/zero"))


def test_a_file_may_not_be_huge(tmp_path) -> None:
    path = tmp_path / "policy.safetensors"
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE * 1000)
    assert "is larger than" in refusal(path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_refused_or_harmless(tmp_path, data) -> None:
    content = bytearray(safetensors.numpy.save(GOOD))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "policy.safetensors"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        policy = load_policy(path, OBSERVATION, SPACE)
    except UserError:
        return
    assert (np.abs(policy(np.ones((1, OBSERVATION)))) <= 1).all()


@pytest.mark.parametrize(
    ("activation", "squash", "clip"),
    [("tanh", False, 10.0), ("relu", True, 10.0), ("relu", False, 3.5), ("tanh", True, math.inf)],
)
def test_activation_squashing_and_clipping_survive_the_file(tmp_path, activation, squash, clip):
    policy = dataclasses.replace(
        make_policy(scale=0.3), activation=activation, squash=squash, observation_clip=clip
    )
    path = tmp_path / "policy.safetensors"
    save_policy(path, policy)
    loaded = load_policy(path, OBSERVATION, SPACE)
    assert (loaded.activation, loaded.squash, loaded.observation_clip) == (activation, squash, clip)
    observation = 20 * np.random.default_rng(1).normal(size=(32, OBSERVATION))
    x = (observation - policy.observation_mean) / np.sqrt(policy.observation_variance + 1e-8)
    x = np.clip(x, -clip, clip)
    for weight, bias in zip(policy.weights[:-1], policy.biases[:-1], strict=True):
        x = x @ weight.T + bias
        x = np.tanh(x) if activation == "tanh" else x * (x > 0)
    x = x @ policy.weights[-1].T + policy.biases[-1]
    expected = np.tanh(x) if squash else np.clip(x, -1, 1)
    np.testing.assert_allclose(loaded(observation), expected, atol=1e-5)


def test_a_usual_policy_has_no_description_and_the_same_policy_the_same_file(tmp_path):
    save_policy(tmp_path / "usual", make_policy())
    assert b"__metadata__" not in (tmp_path / "usual").read_bytes()
    unusual = dataclasses.replace(make_policy(), activation="relu", squash=True)
    for index in range(8):
        save_policy(tmp_path / str(index), unusual)
    assert len({(tmp_path / str(index)).read_bytes() for index in range(8)}) == 1


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ("[", "is none of a policy"),
        ("[" * 10_000, "is none of a policy"),
        ("[]", "is none of a policy"),
        ('{"__class__": 1}', "is none of a policy"),
        ('{"activation": "exec"}', "activation is 'exec'; a policy has tanh or relu"),
        ('{"activation": ["relu"]}', "activation is \"['relu']\""),
        ('{"squash": "no"}', "squash is 'no', neither true nor false"),
        ('{"observation_clip": -1.0}', "observation_clip is '-1.0', no number above 0"),
        ('{"observation_clip": NaN}', "observation_clip is 'nan', no number above 0"),
    ],
)
def test_descriptions_that_are_none(tmp_path, described: str, expected: str) -> None:
    path = tmp_path / "policy.safetensors"
    safetensors.numpy.save_file(tensors_of(make_policy()), path, {"policy": described})
    assert expected in refusal(path)


def test_metadata_of_other_programs_means_nothing(tmp_path) -> None:
    path = tmp_path / "policy.safetensors"
    safetensors.numpy.save_file(tensors_of(make_policy()), path, {"format": "pt"})
    assert load_policy(path, OBSERVATION, SPACE).activation == "tanh"
