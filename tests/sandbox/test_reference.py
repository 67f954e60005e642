"""The reference trainer: every algorithm learns, is saved as it acts, and says what is wrong."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.vec_env import VecNormalize

from reward_synth.errors import UserError
from reward_synth.evaluation import score_policy
from reward_synth.simulation.actions import ActionSpace
from reward_synth.simulation.policy import load_policy
from reward_synth.task import load_task, reward_source
from sandbox import reference
from sandbox.messages import Checkpoint, Member, TrainJob, TrainResult

TASK = load_task("cartpole-swingup")
EXPERT = reward_source(TASK, "expert")
OBSERVATION, ACTION = 5, 1
SPACE = ActionSpace("continuous", ACTION)
STEPS = 480
"""Two rollouts of 15 control steps, or 480 gradient steps."""
QUICK: dict[str, dict[str, Any]] = {
    "ppo": {"hidden_sizes": [24, 16], "n_steps": 15, "n_epochs": 2, "batch_size": 60},
    "sac": {"hidden_sizes": [24, 16], "batch_size": 16},
    "td3": {"hidden_sizes": [24, 16], "batch_size": 16},
}


def job(folder: Path, algorithm: Any, *members: Member, **changes: Any) -> TrainJob:
    settings = {
        "members": list(members) or [Member(name="one", program=EXPERT, seed=3)],
        "steps": STEPS,
        "parameters": QUICK[algorithm],
        "checkpoints": 3,
        **changes,
    }
    return TrainJob(
        task=str(TASK.folder), folder=str(folder), trainer="sb3", algorithm=algorithm, **settings
    )


@dataclass
class Training:
    """What a training gave, and what it saved its policy from."""

    result: TrainResult
    checkpoints: list[Any]
    model: Any
    environment: VecNormalize
    policy: Path


@pytest.fixture(scope="module", params=["ppo", "sac", "td3"])
def training(request, tmp_path_factory) -> Training:
    folder = tmp_path_factory.mktemp(request.param)
    saved: list[Any] = []
    save = reference.save
    events: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "save", lambda *given: (saved.extend(given), save(*given)))
        result = reference.train(job(folder, request.param), events.append)
    return Training(result, events, *saved)


def test_training_gives_checkpoints_a_report_and_a_policy(training: Training):
    (member,) = training.result.members
    assert member.member == "one" and member.failure is None and member.report is not None
    report = member.report
    algorithm = type(training.model).__name__
    assert report.trainer == f"stable-baselines3 {algorithm}"
    assert report.seed == 3 and report.steps == STEPS
    assert report.environments == TASK.ppo.environments
    assert report.checkpoints == training.checkpoints
    assert [checkpoint.member for checkpoint in training.checkpoints] == ["one"] * 3
    assert [checkpoint.step for checkpoint in training.checkpoints] == [160, 320, 480]
    assert set(training.checkpoints[0].components) == {"upright", "centred", "gentle", "still"}
    noise = [checkpoint.noise for checkpoint in training.checkpoints]
    if algorithm == "PPO":
        assert noise[0] == pytest.approx(np.exp(TASK.ppo.initial_log_std))
        assert noise[-1] != noise[0]
    else:
        assert noise == [None] * 3
    ratio = "" if algorithm == "PPO" else "1 gradient steps per environment step"
    assert report.note == ratio
    score = score_policy(TASK, training.policy, episodes=2)
    assert score.fitness is not None and 0 < score.fitness < 1


def test_a_saved_policy_acts_as_the_model_that_was_trained(training: Training):
    policy = load_policy(training.policy, OBSERVATION, SPACE)
    observation = 10 * np.random.default_rng(0).normal(size=(256, OBSERVATION))
    normal = np.asarray(training.environment.normalize_obs(observation), np.float32)
    assert (np.abs(normal) == 10).any(), "some are clipped"
    expected, _ = training.model.predict(normal, deterministic=True)
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(policy(observation), expected, atol=1e-5)
    assert [weight.shape for weight in policy.weights] == [(24, 5), (16, 24), (1, 16)]


def test_gradient_steps_were_taken(training: Training):
    off_policy = type(training.model).__name__ != "PPO"
    updates = training.model._n_updates
    # Learning starts after a tenth of the steps; PPO counts epochs.
    assert updates == (STEPS - STEPS // 10 if off_policy else 2 * 2)


def test_a_member_trains_the_same_whoever_is_trained_beside_it(tmp_path: Path):
    broken = Member(name="broken", program="def compute_reward(pole_upp): return 1", seed=0)
    odd = """
def compute_reward(cart_position):
    '''NaN as soon as the cart leaves the left half.'''
    odd = xp.sqrt(-cart_position)
    return odd, {"odd": odd}
"""
    nan = Member(name="nan", program=odd, seed=0)
    good = Member(name="good", program=EXPERT, seed=5)
    other = Member(name="other", program=EXPERT, seed=6)
    (tmp_path / "alone").mkdir()
    alone = reference.train(job(tmp_path / "alone", "td3", good, steps=160), lambda event: None)
    result = reference.train(
        job(tmp_path, "td3", broken, nan, other, good, steps=160), lambda event: None
    )
    failures = {m.member: m.failure and m.failure.reason for m in result.members}
    assert failures == {"broken": "raised", "nan": "non-finite", "other": None, "good": None}
    messages = [m.failure.message for m in result.members if m.failure]
    assert "pole_upp" in messages[0] and "'odd'" in messages[1]
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == [
        "good.safetensors",
        "other.safetensors",
    ]
    policy = (tmp_path / "good.safetensors").read_bytes()
    assert policy == (tmp_path / "alone" / "good.safetensors").read_bytes()
    assert policy != (tmp_path / "other.safetensors").read_bytes()
    (report,) = [member.report for member in alone.members]
    (beside,) = [member.report for member in result.members if member.member == "good"]
    assert report and beside
    assert timeless(report.checkpoints) == timeless(beside.checkpoints)


def timeless(checkpoints: list[Checkpoint]) -> list[dict[str, Any]]:
    return [checkpoint.model_dump(exclude={"seconds"}) for checkpoint in checkpoints]


@pytest.mark.parametrize("algorithm", ["ppo", "sac", "td3"])
def test_a_rewards_scale_does_not_decide_what_is_learned(tmp_path: Path, algorithm: str):
    weights = []
    for scale in (1.0, 64.0):
        program = f"""
def compute_reward(pole_up):
    total = {scale} * (pole_up + 1.5)
    return total, {{"up": total}}
"""
        member = Member(name="scaled", program=program, seed=1)
        made = job(tmp_path, algorithm, member, steps=160)
        (result,) = reference.train(made, lambda event: None).members
        assert result.failure is None
        weights.append(load_policy(tmp_path / "scaled.safetensors", OBSERVATION, SPACE).weights)
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


def test_parameters_take_the_place_of_the_defaults():
    made = job(Path(), "sac", parameters={"gradient_steps": 4, "tau": 0.5, "action_noise": 0.2})
    arguments = reference.algorithm_arguments(TASK.ppo, made, 3)
    assert (arguments["gradient_steps"], arguments["tau"]) == (4, 0.5)
    noise = arguments["action_noise"]
    assert noise._sigma.tolist() == [0.2] * 3
    assert arguments["gamma"] == TASK.ppo.discount
    assert arguments["buffer_size"] == STEPS + TASK.ppo.environments
    silent = job(Path(), "td3", parameters={"action_noise": 0.0})
    assert "action_noise" not in reference.algorithm_arguments(TASK.ppo, silent, 3)


def test_the_update_to_data_ratio_is_reported(tmp_path: Path):
    parameters = {**QUICK["td3"], "gradient_steps": 4, "train_freq": 2}
    made = job(tmp_path, "td3", steps=64, parameters=parameters)
    (member,) = reference.train(made, lambda event: None).members
    assert member.report and member.report.note == "0.125 gradient steps per environment step"


@pytest.mark.parametrize(
    ("algorithm", "parameters", "words"),
    [
        (
            "sac",
            {"learning_rat": 0.1},
            "SAC has no parameter learning_rat; did you mean learning_r",
        ),
        ("ppo", {"tau": 0.1}, "PPO has no parameter tau; it has hidden_sizes, learning_rate"),
        ("td3", {"policy_kwargs": "x"}, "cannot be set: give hidden_sizes"),
        ("td3", {"seed": 1}, "cannot be set: the training decides it"),
        ("ppo", {"hidden_sizes": 64}, "hidden_sizes of stable-baselines3's PPO takes a list"),
        ("ppo", {"hidden_sizes": [64, 0]}, "widths of at least 1"),
        ("ppo", {"gamma": [1]}, "gamma of stable-baselines3's PPO takes one value"),
        ("ppo", {"n_steps": 0}, "takes a whole number from 1 on, not 0"),
        ("sac", {"train_freq": "often"}, "takes a whole number from 1 on, not often"),
        ("sac", {"use_sde": True}, "its policies cannot be saved here"),
    ],
)
def test_parameters_that_an_algorithm_has_not(tmp_path, algorithm, parameters, words):
    made = job(tmp_path, algorithm, parameters=parameters)
    with pytest.raises(UserError) as caught:
        reference.train(made, lambda event: None)
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_stable_baselines3_refuses_is_the_members_failure(tmp_path: Path):
    made = job(tmp_path, "ppo", parameters={"gae_lambda": "much"})
    (member,) = reference.train(made, lambda event: None).members
    assert member.failure and member.failure.reason == "raised"


@pytest.mark.parametrize("changes", [{"until": STEPS // 2}, {"keep": True}])
def test_a_training_cannot_be_cut_into_legs(tmp_path: Path, changes):
    with pytest.raises(UserError, match="cannot stop and go on"):
        reference.train(job(tmp_path, "ppo", **changes), lambda event: None)
