"""``export-policy`` and ``score`` with stable-baselines3's files, as a user starts them."""

from pathlib import Path

import numpy as np
import pytest
from stable_baselines3 import PPO

from reward_synth.simulation.policy import Policy, save_policy
from tests.cli.command import Outcome, reward_synth

TASK = "cartpole-swingup"


@pytest.fixture(scope="module")
def policy(tmp_path_factory) -> tuple[Policy, Path]:
    rng = np.random.default_rng(0)
    made = Policy(
        observation_mean=rng.normal(size=5),
        observation_variance=rng.uniform(4.0, 8.0, 5),
        weights=tuple(rng.normal(size=s).astype(np.float32) for s in [(8, 5), (1, 8)]),
        biases=tuple(rng.normal(size=n).astype(np.float32) for n in (8, 1)),
    )
    path = tmp_path_factory.mktemp("policy") / "policy.safetensors"
    save_policy(path, made)
    return made, path


def test_an_exported_policy_loads_acts_and_scores_the_same(policy, tmp_path: Path):
    made, path = policy
    output = tmp_path / "model.zip"
    told = reward_synth("export-policy", TASK, "--policy", path, "--output", output, "--json")
    assert told.status == 0, told.err
    assert told.json["algorithm"] == "PPO"
    assert told.json["largest_difference"] < 1e-5
    assert told.json["observations"] == 4 * 250
    assert told.json["clipped_observations"] == 0
    observation = np.random.default_rng(1).normal(size=(50, 5)).astype(np.float32)
    actions, _ = PPO.load(output, device="cpu").predict(observation, deterministic=True)
    np.testing.assert_allclose(actions, made(observation), atol=1e-5)
    scores = [
        reward_synth("score", TASK, "--policy", file, "--episodes", 2, "--json").json["fitness"]
        for file in (path, output)
    ]
    # Rounding alone tells them apart, and a swinging pole makes much of it.
    assert scores[0] == pytest.approx(scores[1], rel=0.02)


def assert_one_line(told: Outcome, *words: str) -> None:
    assert told.status == 2
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    for word in words:
        assert word in told.err


@pytest.mark.parametrize(
    ("output", "word"),
    [("model", "has to end in .zip"), ("nowhere/model.zip", "there is no folder")],
)
def test_outputs_that_cannot_be(policy, tmp_path: Path, output: str, word: str):
    given = ("--policy", policy[1], "--output", tmp_path / output)
    assert_one_line(reward_synth("export-policy", TASK, *given), output, word)


def test_a_policy_of_another_task_is_not_exported(policy, tmp_path: Path):
    output = tmp_path / "model.zip"
    told = reward_synth("export-policy", "cheetah-run", "--policy", policy[1], "--output", output)
    assert_one_line(told, str(policy[1]), "was it trained for another task?")
    assert not output.exists()


def test_a_zip_that_is_no_model_is_not_scored(tmp_path: Path):
    model = tmp_path / "model.zip"
    model.write_bytes(b"PK\x03\x04 and nothing more")
    told = reward_synth("score", TASK, "--policy", model)
    assert_one_line(told, str(model), "not a whole zip archive")


def test_help_shows_an_example():
    told = reward_synth("export-policy", "--help")
    assert "reward-synth export-policy cheetah-run --policy" in " ".join(told.out.split())
