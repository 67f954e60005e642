"""The trusted score, and a policy file that is none."""

from pathlib import Path

import numpy as np
import pytest

from reward_synth.errors import UserError
from reward_synth.evaluation import fitness_of, score_policies, score_policy
from reward_synth.simulation.actions import ActionSpace
from reward_synth.simulation.episodes import rollout_episodes
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.simulation.policy import Policy, load_policy, save_policy
from reward_synth.task import load_task

HOPPER = load_task("hopper-forward")


def test_a_file_that_is_no_policy_is_refused(tmp_path):
    path = tmp_path / "policy.safetensors"
    path.write_bytes(b"\x00" * 64)
    with pytest.raises(UserError, match=r"policy\.safetensors"):
        score_policy(load_task("cartpole-swingup"), path, episodes=2)


def made_up_policies(folder: Path, count: int) -> list[Path]:
    """Policies for the hopper that fall at different times."""
    rng = np.random.default_rng(7)
    paths = []
    for k in range(count):
        shapes = [(8, 11), (3, 8)]
        policy = Policy(
            observation_mean=np.zeros(11),
            observation_variance=np.ones(11),
            weights=tuple(k * rng.normal(size=shape).astype(np.float32) for shape in shapes),
            biases=tuple(rng.normal(size=shape[0]).astype(np.float32) for shape in shapes),
        )
        paths.append(folder / f"{k}.safetensors")
        save_policy(paths[-1], policy)
    return paths


def test_policies_are_scored_side_by_side_as_one_by_one(tmp_path):
    paths = made_up_policies(tmp_path, 4)
    together = score_policies(HOPPER, paths, episodes=5, seed=3)
    assert together == [score_policy(HOPPER, path, episodes=5, seed=3) for path in paths]
    assert together[::-1] == score_policies(HOPPER, paths[::-1], episodes=5, seed=3)
    assert len({score.length for score in together}) == 4  # type: ignore[union-attr]
    assert together != score_policies(HOPPER, paths, episodes=5, seed=4)


def test_a_score_is_that_of_the_policys_own_episodes(tmp_path):
    [path] = made_up_policies(tmp_path, 1)
    simulator = MujocoSimulator(HOPPER, 3)
    episodes = rollout_episodes(
        simulator, load_policy(path, 11, ActionSpace("continuous", 3)), 3, seed=9
    )
    score = score_policy(HOPPER, path, episodes=3, seed=9)
    fitness = fitness_of(HOPPER, episodes)
    assert fitness is not None and score.episodes == fitness
    assert score.fitness == pytest.approx(np.mean(fitness))
    assert score.length == np.mean([len(episode) for episode in episodes])


def test_what_is_no_policy_is_told_beside_the_scores_of_the_others(tmp_path):
    good, other = made_up_policies(tmp_path, 2)
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"\x00" * 64)
    first, refused, last = score_policies(HOPPER, [good, bad, other], episodes=2)
    assert first == score_policy(HOPPER, good, episodes=2)
    assert last == score_policy(HOPPER, other, episodes=2)
    assert isinstance(refused, UserError) and "bad.safetensors" in str(refused)
    assert all(isinstance(s, UserError) for s in score_policies(HOPPER, [bad, bad], episodes=2))
