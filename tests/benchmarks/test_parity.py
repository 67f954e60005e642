"""The benchmark of what is learned."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import parity
from benchmarks.parity import Cache, Measured, Training
from reward_synth.task import load_task


def scores(rewards: dict[str, tuple[list[float], list[float]]]) -> parity.Scores:
    """By reward: the population's fitness by seed, and SB3's."""
    return {
        Training(reward, "", seed, trainer, 100): {"fitness": value, "episodes": [value, value]}
        for reward, both in rewards.items()
        for trainer, values in zip(parity.TRAINERS, both, strict=True)
        for seed, value in enumerate(values)
    }


def test_interquartile_means_are_compared():
    normalised: dict[parity.Trainer, np.ndarray] = {
        # The largest and the smallest quarter do not count.
        "population": np.array([-9.0, -9.0, 1.0, 2.0, 2.0, 3.0, 9.0, 99.0]),
        "sb3": np.array([0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0]),
    }
    found = parity.quality(normalised)
    assert found["iqm_ratio"] == 2.0
    centre, low, high = found["difference"]
    assert low < centre == 1.0 < high


def test_equal_trainers_differ_by_nothing():
    values = np.linspace(0.0, 1.0, 8)
    same: dict[parity.Trainer, np.ndarray] = {"population": values, "sb3": values}
    centre, low, high = parity.bootstrap([same] * 3)
    assert centre == 0.0
    assert low < 0.0 < high


def test_programs_within_noise_are_merged():
    measured = Measured(np.array([1.0, 5.0, 0.9, 4.9, 3.0]), np.full(5, 0.1))
    groups = parity.tie_groups(measured)
    assert groups.tolist() == [2, 0, 2, 0, 1]
    means = parity.group_means(measured.fitness, groups)
    assert means.tolist() == pytest.approx([0.95, 4.95, 0.95, 4.95, 3.0])


def test_the_noise_of_programs_is_that_of_their_seeds():
    # The two best change places between the trainers, but their seeds vary by as much.
    found = parity.ranking(
        scores(
            {
                "expert": ([9.0], [9.0]),
                "a": ([5.0, 4.4], [4.2, 5.0]),
                "b": ([4.8, 4.4], [5.0, 4.6]),
                "c": ([1.0, 1.1], [1.0, 1.1]),
            }
        )
    )
    assert found["rank_correlation"] == 1.0
    assert found["rank_correlation_of_all"] == 0.5
    assert found["groups"] == 2
    assert (found["pairs_agree"], found["pairs_beyond_noise"]) == (1.0, 2)


def test_with_one_seed_the_noise_is_the_experts():
    close = {"a": ([5.0], [4.0]), "b": ([4.0], [5.0]), "c": ([0.0], [0.0])}
    noisy = parity.ranking(scores({"expert": ([4.0, 6.0], [4.0, 6.0])} | close))
    still = parity.ranking(scores({"expert": ([5.0, 5.0], [5.0, 5.0])} | close))
    assert (noisy["rank_correlation"], noisy["pairs_agree"]) == (1.0, 1.0)
    assert (still["pairs_agree"], still["pairs_beyond_noise"]) == (0.6667, 3)


def test_a_program_that_failed_is_counted_and_left_out():
    sound = scores({"expert": ([1.0], [1.0]), "a": ([5.0], [4.0]), "b": ([4.0], [2.0])})
    failed = {Training("c", "", 0, trainer, 100): None for trainer in parity.TRAINERS}
    found = parity.ranking({**sound, **failed})
    assert (found["programs"], found["programs_failed"]) == (2, 1)


def test_the_study_goes_on_where_it_was(tmp_path: Path, capsys):
    task = load_task("cartpole-swingup")
    wanted = parity.trainings(task, steps=1024, seeds=2, program_seeds=1)
    experts = [training for training in wanted if training.reward == "expert"]
    assert [training.trainer for training in experts] == ["population"] * 2 + ["sb3"] * 2
    path = tmp_path / "parity.jsonl"
    clock = parity.Clock(4)

    parity.carry_out(task, experts[1:], Cache(path), clock)
    with path.open("a") as file:
        file.write('{"key": "cut sh')
    parity.carry_out(task, experts, Cache(path), clock)

    told = [line for line in capsys.readouterr().err.splitlines() if line[1:3] == "/4"]
    assert [line[0] for line in told] == ["1", "2", "3", "4"]
    assert "cartpole-swingup, population, expert, seed 200" in told[3]
    cache = Cache(path)
    normalised = parity.expert_scores(task, {one: cache.score(task, one) for one in experts})
    assert {trainer: len(values) for trainer, values in normalised.items()} == {
        "population": 2,
        "sb3": 2,
    }


def test_the_scale_of_quality_is_the_baselines():
    task = load_task("reacher-reach")
    baselines = json.loads((task.folder / "baselines.json").read_text())
    sparse, expert = baselines["sparse"]["mean"], baselines["expert"]["mean"]
    normalised = parity.expert_scores(task, scores({"expert": ([sparse, expert], [expert])}))
    assert normalised["population"].tolist() == pytest.approx([0.0, 1.0])
