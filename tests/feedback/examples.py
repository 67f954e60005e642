"""A task, trainings of it and a run around them, made by hand, that the tests of feedback share."""

from dataclasses import replace
from pathlib import Path

from reward_synth.evaluation import Behaviour, Score, Spread
from reward_synth.evaluation.behaviour import EarlySign, Excerpt, Row
from reward_synth.feedback import Attempt, History
from reward_synth.task import GymnasiumModel, Task
from sandbox.messages import Checkpoint, ComponentStatistics, TrainingReport

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
    noise: list[float] | None = None,
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
            noise=noise[i] if noise else None,
            components=components({name: values[i] for name, values in means.items()}),
        )
        for i in range(len(fitness))
    ]
    return TrainingReport(
        seed=0, steps=10_000, seconds=9.0, environments=16, trainer="ppo", checkpoints=checkpoints
    )


def troubled() -> TrainingReport:
    """A training with a component for nearly every tip."""
    training = report(
        success=[0.0] * 7 + [0.1, 0.3, 0.5],
        noise=[0.6 - 0.04 * i for i in range(10)],
        run=LEARNING,
        effort=[-mean / 2 for mean in LEARNING],
        alive=[0.25] * 10,
        goal=[0.0] * 10,
        cap=LEARNING,
    )
    for checkpoint in training.checkpoints:
        found = checkpoint.components
        nothing = ComponentStatistics(mean=0.0, min=0.0, max=0.0, std=0.0, share=0.0)
        bonus = ComponentStatistics(mean=0.25, min=0.25, max=0.25, std=0.0, share=0.08)
        mean = min(found["cap"].mean, 4.99)
        capped = ComponentStatistics(mean=mean, min=0.0, max=5.0, std=0.02, share=0.4)
        found.update(goal=nothing, alive=bonus, cap=capped)
    return training


def score(length: float = 1000.0, success: float | None = None) -> Score:
    return Score(
        fitness=5.75, low=5.5, high=6.0, episodes=[5.5, 6.0], success=success, length=length
    )


PARENT = """
SPEED_SCALE = 2.0

def compute_reward(speed, action):
    \"\"\"Run as fast as the legs allow.\"\"\"
    run = xp.tanh(speed / SPEED_SCALE)
    return run, {"run": run}
"""

CURRENT = """
SPEED_SCALE = 3.0

def compute_reward(speed, action):
    \"\"\"Run fast, at little effort.\"\"\"
    run = xp.tanh(speed / SPEED_SCALE)
    effort = -0.1 * xp.sum(action**2, axis=-1)
    return run + effort, {"run": run, "effort": effort}
"""


def attempt(name: str, fitness: float, said: str = "") -> Attempt:
    """A scored program of one component."""
    doc = f'    """{said}"""\n' if said else ""
    source = f"def compute_reward(speed):\n{doc}    return speed, {{'{name}': speed}}\n"
    return Attempt(source, "scored", fitness)


def behaviour() -> Behaviour:
    """What a runner that sometimes falls does."""

    def excerpt(fitness: float, success: bool, end: Row) -> Excerpt:
        middle = [
            Row(step=60, values=[2.1, 0.91], moment="lowest height"),
            Row(step=150, values=[4.4, 1.21], moment=""),
        ]
        return Excerpt(
            fitness=fitness,
            success=success,
            steps=end.step,
            early=end.step < 1000,
            columns=["speed", "height"],
            rows=[Row(step=1, values=[0.02, 1.1], moment="start"), *middle, end],
        )

    return Behaviour(
        episodes=8,
        episode_steps=1000,
        early=3,
        early_steps=(220, 310, 700),
        signs=[
            EarlySign(name="height", mean=0.52, before=Spread(mean=1.1, low=0.9, high=1.3)),
        ],
        fitness=Spread(mean=5.75, low=3.2, high=6.4),
        successes=5,
        command=0.81,
        at_limit=0.44,
        variables={
            "speed": Spread(mean=5.7, low=3.1, high=6.6),
            "height": Spread(mean=1.1, low=0.9, high=1.3),
        },
        excerpts=[
            excerpt(5.8, True, Row(step=1000, values=[6.1, 1.18], moment="time-out")),
            excerpt(3.2, False, Row(step=310, values=[3.3, 0.52], moment="early end")),
        ],
    )


def seeds() -> History:
    """The run around ``CURRENT`` where programs are trained several times."""
    hop, fall = attempt("hop", 0.4, "Hop forward."), attempt("fall", 0.1, "Fall over.")
    return History(
        Attempt(CURRENT, "scored", 5.75, trainings=[(7.25, 900.0), (4.0, 310.4), (6.0, 1000.0)]),
        others=[
            replace(hop, trainings=[(0.8, 12.0), (0.0, 1000.0)]),
            replace(fall, trainings=[(0.1, 7.0)]),
        ],
    )


def history() -> History:
    """The run around ``CURRENT``: neither its first program nor its best."""
    return History(
        current=Attempt(CURRENT, "scored", 5.75),
        parent=Attempt(PARENT, "scored", 4.2),
        best=attempt("stride", 6.1, "Take long strides."),
        others=[
            attempt("hop", 0.4, "Hop forward."),
            Attempt("import os", "refused", reason="the module 'os' is not available"),
            attempt("hop", 0.3, "Hop forward."),
            Attempt(PARENT, "failed", reason="the total is not finite"),
            Attempt("import os\n", "refused", reason="the module 'os' is not available"),
            Attempt(attempt("glide", 0.0, "Glide.").source, "pruned", 0.05, "dropped"),
        ],
    )
