"""The offline proposer on real tasks: right programs, the same ones each time, none twice."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reward_synth.llm.offline import OfflineProposer, Proposal, Scored
from reward_synth.llm.offline.guidance import guide
from reward_synth.llm.offline.recover import recover
from reward_synth.reward import check, parse
from reward_synth.task import Task, list_tasks, load_task, reward_source
from sandbox.messages import Checkpoint, ComponentStatistics, TrainingReport

SLOTS, GENERATIONS = 6, 4
PROPOSERS: dict[str, OfflineProposer] = {}


def proposer(name: str) -> OfflineProposer:
    """One proposer per task for the whole module: its survey takes a second."""
    if name not in PROPOSERS:
        PROPOSERS[name] = OfflineProposer(load_task(name), 3)
    return PROPOSERS[name]


def report(proposer: OfflineProposer, source: str, rng: np.random.Generator) -> TrainingReport:
    """A report with the program's real components on random states and a made-up curve."""
    program = parse(source, proposer.survey.sizes)
    arguments = {name: proposer.survey.values[name] for name in program.arguments}
    _, components = program.compile()(**arguments)
    magnitude = {name: float(np.abs(value).mean()) for name, value in components.items()}
    whole = sum(magnitude.values()) or 1.0
    statistics = {
        name: ComponentStatistics(
            mean=float(np.mean(value)),
            min=float(np.min(value)),
            max=float(np.max(value)),
            std=float(np.std(value)),
            share=magnitude[name] / whole,
        )
        for name, value in components.items()
    }
    checkpoints = [
        Checkpoint(
            step=step,
            seconds=1.0,
            episodes=2,
            episode_return=0.0,
            episode_length=float(rng.uniform(10.0, 1000.0)),
            fitness=float(rng.normal()),
            success=None,
            components=statistics,
        )
        for step in range(5)
    ]
    return TrainingReport(
        seed=0, steps=5, seconds=1.0, environments=1, trainer="none", checkpoints=checkpoints
    )


def scored(
    proposer: OfflineProposer, sources: Sequence[str], rng: np.random.Generator, start: int = 0
) -> list[Scored]:
    return [
        Scored(start + number, source, float(rng.normal()), report(proposer, source, rng))
        for number, source in enumerate(sources)
    ]


@pytest.mark.parametrize("name", list_tasks())
def test_every_proposal_is_right_new_finite_and_recoverable(name: str) -> None:
    offline, rng = proposer(name), np.random.default_rng(0)
    earlier: list[Scored] = []
    digests: set[str] = set()
    for generation in range(GENERATIONS):
        sources = [offline.propose(generation, slot, earlier).source for slot in range(SLOTS)]
        for source in sources:
            assert check(source, offline.survey.sizes) == []
            assert "without a language model" in source
            assert max(map(len, source.splitlines())) <= 100
            program = parse(source, offline.survey.sizes)
            assert program.digest not in digests
            digests.add(program.digest)
            rows = {key: offline.survey.values[key] for key in program.arguments}
            total, components = program.compile()(**rows)
            assert total.shape == (len(offline.survey.first),) and np.isfinite(total).all()
            assert all(np.isfinite(value).all() for value in components.values())
            genome = recover(source, offline.survey.sizes)
            assert genome is not None
            assert parse(offline._render(genome), offline.survey.sizes).digest == program.digest
        earlier += scored(offline, sources, rng, len(earlier))


def test_the_same_arguments_give_the_same_proposals() -> None:
    first, second = (OfflineProposer(load_task("hopper-forward"), 7) for _ in range(2))
    start = [first.propose(0, slot, []) for slot in range(3)]
    earlier = scored(first, [p.source for p in start], np.random.default_rng(1))
    later = [first.propose(2, slot, earlier) for slot in range(SLOTS)]
    assert [second.propose(2, slot, earlier) for slot in reversed(range(SLOTS))] == later[::-1]
    assert [second.propose(0, slot, []) for slot in range(3)] == start


def test_another_seed_varies_later_generations() -> None:
    task = load_task("cartpole-swingup")
    first, second = OfflineProposer(task, 0), OfflineProposer(task, 1)
    earlier = [Scored(0, first.propose(0, 0, []).source, 1.0, None)]
    assert first.propose(1, 1, earlier).source != second.propose(1, 1, earlier).source


def test_fitness_success_and_baselines_are_not_looked_at(tmp_path: Path) -> None:
    def forbidden(episode: object) -> float:
        raise AssertionError("the proposer looked at the fitness")

    task = load_task("reacher-reach")
    blind = replace(
        task, fitness=forbidden, success=forbidden, fitness_doc="", success_doc="", folder=tmp_path
    )
    proposals = [OfflineProposer(each, 0).propose(0, 1, []) for each in (task, blind)]
    assert proposals[0] == proposals[1]


def test_the_best_candidate_is_refined_first() -> None:
    offline = proposer("hopper-forward")
    sources = [offline.propose(0, slot, []).source for slot in range(4)]
    fitness = [0.1, 0.5, float("nan"), 0.2]
    earlier = [
        Scored(10 + n, source, value, None)
        for n, (source, value) in enumerate(zip(sources, fitness, strict=True))
    ]
    proposal = offline.propose(1, 0, earlier)
    assert proposal.parents == (11,)
    parent, child = (recover(s, offline.survey.sizes) for s in (sources[1], proposal.source))
    assert parent is not None and child is not None
    assert [t.name for t in child.terms] == [t.name for t in parent.terms]
    parents = [p for slot in range(1, 30) for p in offline.propose(1, slot, earlier).parents]
    assert parents.count(11) > parents.count(10) and 12 not in parents


FOREIGN = {
    "constants": """
SPEED_SCALE = 2.0  # m/s


def compute_reward(forward_velocity, action):
    run = xp.tanh(forward_velocity / SPEED_SCALE)
    cost = -0.1 * xp.sum(action**2, axis=-1)
    return run + cost, {"run": run, "cost": cost}
""",
    "no constants": """
def compute_reward(forward_velocity):
    "Größer ist besser."; speed = 2.5 * forward_velocity
    return speed, {"speed": speed,}
""",
    "no numbers": """
def compute_reward(forward_velocity):
    components = {"run": forward_velocity}
    return forward_velocity, components
""",
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_programs_of_other_origins_have_children_too(kind: str) -> None:
    offline = proposer("hopper-forward")
    source = FOREIGN[kind]
    assert check(source, offline.survey.sizes) == []
    children = [offline.propose(1, slot, [Scored(4, source, 1.0, None)]) for slot in range(8)]
    digests = {parse(child.source, offline.survey.sizes).digest for child in children}
    assert len(digests) == 8
    if kind != "no numbers":
        assert all(child.parents == (4,) for child in children)


@pytest.mark.parametrize("name", list_tasks())
@pytest.mark.parametrize("which", ["expert", "sparse"])
def test_the_baselines_can_be_parents(name: str, which: str) -> None:
    offline = proposer(name)
    source = reward_source(offline.task, "expert" if which == "expert" else "sparse")
    for slot in range(4):
        child = offline.propose(1, slot, [Scored(0, source, 1.0, None)])
        assert check(child.source, offline.survey.sizes) == []
        assert child.source != source


def checkpoint(shares: dict[str, float], length: float, fitness: float) -> Checkpoint:
    components = {
        name: ComponentStatistics(mean=share, min=0.0, max=1.0, std=0.1, share=share)
        for name, share in shares.items()
    }
    return Checkpoint(
        step=1,
        seconds=1.0,
        episodes=1,
        episode_return=0.0,
        episode_length=length,
        fitness=fitness,
        success=None,
        components=components,
    )


def told(checkpoints: list[Checkpoint]) -> TrainingReport:
    return TrainingReport(
        seed=0, steps=1, seconds=1.0, environments=1, trainer="none", checkpoints=checkpoints
    )


def test_a_report_guides_the_next_change() -> None:
    offline = proposer("hopper-forward")
    genome = offline.first[0]
    shares = {"speed": 0.01, "alive": 0.988, "effort": 0.002}
    rising = told([checkpoint(shares, 50.0, float(step)) for step in range(6)])
    guidance = guide(genome, rising, 1000)
    assert guidance.dominant == "alive"
    assert guidance.idle == ("effort",)
    assert guidance.ends_early and guidance.rising
    fair = {"speed": 0.6, "alive": 0.3, "effort": 0.1}
    falling = told([checkpoint(fair, 990.0, -float(step)) for step in range(6)])
    calm = guide(genome, falling, 1000)
    assert calm.dominant is None and calm.idle == ()
    assert not calm.ends_early and not calm.rising


def test_a_bonus_that_pays_for_standing_still_is_to_be_less() -> None:
    offline = proposer("hopper-forward")
    shares = {"speed": 0.2, "alive": 0.75, "effort": 0.05}
    whole = told([checkpoint(shares, 1000.0, 0.0)])
    short = told([checkpoint(shares, 100.0, 0.0)])
    assert guide(offline.first[0], whole, 1000).dominant == "alive"
    assert guide(offline.first[0], short, 1000).dominant is None


def test_gates_do_not_count_as_dominating() -> None:
    offline = proposer("hopper-forward")
    genome = next(g for g in offline.first if any(t.weight is None for t in g.terms))
    gate = next(t.name for t in genome.terms if t.weight is None)
    shares = {t.name: 0.001 for t in genome.terms} | {gate: 0.99}
    assert guide(genome, told([checkpoint(shares, 900.0, 0.0)]), 1000).dominant is None


TASK = """
import numpy as np

from reward_synth.task import GymnasiumModel, JointPosition, JointVelocity, Task, Variable

task = Task(
    description="{description}",
    model=GymnasiumModel("inverted_pendulum.xml"),
    variables={{
        "trolley": Variable("where the trolley is; 0 is the middle of the track", "m",
                            JointPosition("slider")),
        "trolley_speed": Variable("velocity of the trolley; positive is to the right", "m/s",
                                  JointVelocity("slider")),
        "rod": Variable("angle of the rod; 0 is upright", "rad", JointPosition("hinge")),
        "rod_rate": Variable("angular velocity of the rod; positive is clockwise", "rad/s",
                             JointVelocity("hinge")),
    }},
    observation=("trolley", "rod", "trolley_speed", "rod_rate"),
    frame_skip=2,
    episode_steps=100,
    reset=lambda rng, n: (rng.uniform(-0.01, 0.01, (n, 2)), np.zeros((n, 2))),
    terminated=lambda v, xp: xp.abs(v["rod"]) > 0.2,
    fitness=lambda episode: float(len(episode)),
    fitness_doc="control steps",
    training_steps=1000,
)
"""


def own_task(folder: Path, description: str) -> Task:
    folder.mkdir()
    (folder / "task.py").write_text(TASK.format(description=description))
    for file in ("expert_reward.py", "sparse_reward.py"):
        (folder / file).write_text('def compute_reward(rod):\n    return rod, {"rod": rod}\n')
    return load_task(folder)


def first_proposal(task: Task) -> tuple[OfflineProposer, Proposal]:
    offline = OfflineProposer(task, 0)
    return offline, offline.propose(0, 0, [])


def test_a_folder_of_ones_own_with_other_words(tmp_path: Path) -> None:
    offline, balance = first_proposal(own_task(tmp_path / "rod", "Keep the rod balanced."))
    assert "upright = UPRIGHT_WEIGHT * xp.cos(rod)" in balance.source
    assert "alive" in balance.source  # episodes end when the rod tips
    assert check(balance.source, offline.survey.sizes) == []


def test_another_wish_in_the_same_folder_turns_the_sign(tmp_path: Path) -> None:
    wish = "Move the trolley to the left as fast as possible."
    _, left = first_proposal(own_task(tmp_path / "left", wish))
    assert "-SPEED_WEIGHT * trolley_speed" in left.source
    wish = "Whirl the rod round counter-clockwise, gently."
    _, whirl = first_proposal(own_task(tmp_path / "whirl", wish))
    assert "-TURN_WEIGHT * rod_rate" in whirl.source
