"""A report in words: Eureka's numbers, and of the tips only those that apply."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.evaluation.score import Score
from reward_synth.feedback import reflect
from reward_synth.feedback.diagnosis import warnings
from reward_synth.feedback.reflection import evenly, tunable_constants
from reward_synth.task import GymnasiumModel, Task
from sandbox.messages import Checkpoint, ComponentStatistics, TrainingReport

SOURCE = """
SPEED_SCALE = 3.0
WEIGHTS = -0.5

def compute_reward(speed):
    run = xp.tanh(speed / SPEED_SCALE)
    return run, {"run": run}
"""

TASK = Task(
    description="Run.",
    model=GymnasiumModel("half_cheetah.xml"),
    variables={},
    observation=(),
    frame_skip=5,
    episode_steps=1000,
    reset=lambda rng, n: (rng.normal(size=(n, 9)), rng.normal(size=(n, 9))),
    terminated=lambda v, xp: xp.zeros(1, dtype=bool),
    fitness=lambda episode: 0.0,
    fitness_doc="mean forward speed, m/s",
    training_steps=1000,
    folder=Path("cheetah-run"),
)

LEARNING = [0.1, 0.4, 0.9, 1.6, 2.5, 3.6, 4.4, 5.1, 5.5, 5.8]


def components(means: dict[str, float]) -> dict[str, ComponentStatistics]:
    total = sum(abs(mean) for mean in means.values()) or 1.0
    return {
        name: ComponentStatistics(
            mean=mean, min=mean - 1, max=mean + 1, std=0.3, share=abs(mean) / total
        )
        for name, mean in means.items()
    }


def report(
    fitness: list[float] = LEARNING,
    *,
    returns: list[float] | None = None,
    success: list[float] | None = None,
    **means: list[float],
) -> TrainingReport:
    means = means or {"run": LEARNING, "effort": [-mean / 2 for mean in LEARNING]}
    checkpoints = [
        Checkpoint(
            step=1000 * (i + 1),
            seconds=float(i),
            episodes=2,
            episode_return=(returns or fitness)[i],
            episode_length=1000.0,
            fitness=fitness[i],
            success=success[i] if success else None,
            components=components({name: values[i] for name, values in means.items()}),
        )
        for i in range(len(fitness))
    ]
    return TrainingReport(
        seed=0, steps=10_000, seconds=9.0, environments=16, trainer="ppo", checkpoints=checkpoints
    )


def score(length: float = 1000.0, success: float | None = None) -> Score:
    return Score(
        fitness=5.75, low=5.5, high=6.0, episodes=[5.5, 6.0], success=success, length=length
    )


def test_every_number_of_a_healthy_training_is_told_and_no_tip():
    words = reflect(TASK, SOURCE, report(), score())
    values = "0.1, 0.4, 0.9, 1.6, 2.5, 3.6, 4.4, 5.1, 5.5, 5.8"
    assert f"- component `run`: [{values}], max 5.8, mean 2.99, min 0.1; 67 % of the total" in words
    assert "single steps between -0.9 and 6.8" in words
    assert f"- fitness (mean forward speed, m/s; more is better): [{values}]" in words
    assert "fitness 5.75 (95 % interval 5.5 to 6), 1000 control steps per episode." in words
    assert "Nothing looks broken" in words
    assert "What these numbers say" not in words
    assert "success" not in words
    assert "SPEED_SCALE = 3.0, WEIGHTS = -0.5." in words


def capped() -> TrainingReport:
    """``run`` can be 5 at most, and is in the end."""
    training = report(run=LEARNING, effort=LEARNING[::-1])
    for checkpoint in training.checkpoints:
        mean = min(checkpoint.components["run"].mean, 4.99)
        run = ComponentStatistics(mean=mean, min=0.0, max=5.0, std=0.02, share=0.5)
        checkpoint.components["run"] = run
    return training


@pytest.mark.parametrize(
    ("told", "training", "final"),
    [
        ("Rewrite the whole reward function", report([0.5] * 10), score()),
        ("Rewrite the whole reward function", report(success=[0.0] * 10), score(success=0.0)),
        (
            "`alive` is nearly the same throughout",
            report(run=LEARNING, alive=[1.0] * 10),
            score(),
        ),
        (
            "`run` outweighs the others (91 % of the total's magnitude)",
            report(run=[10 * v for v in LEARNING], effort=[-v for v in LEARNING]),
            score(),
        ),
        ("`run` is at its highest value almost all the time", capped(), score()),
        (
            "fitness fell from 3 to 1.2",
            report([0, 1, 2, 3, 2, 1.2], returns=[0, 10, 20, 30, 40, 50]),
            score(),
        ),
        (
            "Episodes end after 120 of 1000 control steps: the policy fails early. Reward more",
            report(),
            score(length=120),
        ),
        (
            "The total is negative, so ending early pays",
            report(returns=[-9.0 + value for value in LEARNING]),
            score(length=120),
        ),
    ],
)
def test_a_tip_is_told_where_it_applies_and_alone(
    told: str, training: TrainingReport, final: Score
):
    words = reflect(TASK, SOURCE, training, final)
    assert told in words
    told_tips = words.split("What these numbers say:")[1].split("Constants that")[0]
    assert told_tips.count("\n- ") == 1


def test_people_are_warned_of_what_looks_like_gaming():
    gamed = report([0, 1, 2, 3, 2, 1.2], returns=[0, 10, 20, 30, 40, 50], run=LEARNING)
    assert warnings(gamed.checkpoints) == [
        "Fitness fell from 3 to 1.2 while the return went on rising: the reward is collected "
        "without doing the task."
    ]
    assert warnings(capped().checkpoints) == [
        "Component 'run' has reached its cap: nothing is left to gain."
    ]
    alone = report(run=[10 * v for v in LEARNING], effort=[-v for v in LEARNING])
    assert warnings(alone.checkpoints) == ["Component 'run' carries 91% of the reward."]
    assert warnings(report().checkpoints) == []


def test_success_is_told_where_the_task_knows_it():
    task = replace(TASK, success_doc="faster than 5 m/s")
    training = report(success=[0.0] * 8 + [0.25, 0.5])
    words = reflect(task, SOURCE, training, score(success=0.5))
    assert "- success rate (faster than 5 m/s): [0, 0, 0, 0, 0, 0, 0, 0, 0.25, 0.5]" in words
    assert "success rate 0.5, " in words


def test_a_training_in_which_no_episode_ended_is_told_too():
    training = report()
    for checkpoint in training.checkpoints:
        checkpoint.fitness = checkpoint.episode_return = checkpoint.episode_length = None
    words = reflect(TASK, "not a program (", training, score())
    assert "more is better): [–, –, –, –, –, –, –, –, –, –]" in words
    assert "Constants that can be changed" not in words


def test_constants_are_read_without_running_anything():
    assert tunable_constants("A = 1.5\nB = -2\nc = 3\nimport os") == [("A", "1.5"), ("B", "-2")]
    assert tunable_constants("def (") == []


@given(st.integers(1, 60))
def test_ten_points_are_spread_over_the_whole_training(total: int):
    checkpoints = report([float(i) for i in range(total)], run=LEARNING * 6).checkpoints
    points = evenly(checkpoints, 10)
    assert len(points) == min(total, 10)
    assert points[-1] is checkpoints[-1]
    steps = [point.step for point in points]
    gaps = {b - a for a, b in pairwise(steps)}
    assert not gaps or max(gaps) - min(gaps) <= 1000
