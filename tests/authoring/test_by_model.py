"""A language model, behind a real server, that writes the fitness and success of a task."""

from collections.abc import Sequence
from pathlib import Path

import gymnasium
import pytest

from reward_synth.authoring.by_model import Author, Decide, Decision, Proposal, Written
from reward_synth.authoring.draft import Draft
from reward_synth.authoring.environments import draft_environment
from reward_synth.authoring.making import make_folder, try_task
from reward_synth.authoring.models import draft_model
from reward_synth.errors import RunError
from reward_synth.llm.connect import connect
from reward_synth.llm.faults import Patience
from reward_synth.simulation.trial import faults_of, trial_episodes
from reward_synth.task import VectorEnvironment
from tests.authoring.answers import CENTRED, FITNESS, GOOD, SUCCESS, WORDS, answer
from tests.servers import CompletionServer

HOPPER = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets" / "hopper.xml"
HIGH = """\
def compute_reward(root_position):
    high = root_position[:, 2]
    return high, {"high": high}
"""


@pytest.fixture(scope="module")
def pole() -> Draft:
    return draft_environment(VectorEnvironment("CartPole-v1"), description="Stay in the middle.")


def write(
    draft: Draft,
    folder: Path,
    answers: Sequence[str],
    decide: Decide = lambda proposal: "accept",
    sentence: str | None = "Stay in the middle.",
) -> tuple[Written, CompletionServer]:
    """What comes of these answers."""
    with CompletionServer(answers) as server:
        model = connect("openai/test", server.base_url)
        task = make_folder(draft, folder / "default")
        author = Author(model, task, draft, sentence=sentence, decide=decide,
            progress=lambda line: None)  # fmt: skip
        return author.write(), server


def test_what_a_model_wrote_is_in_the_folder_and_marked(pole: Draft, tmp_path: Path):
    written, server = write(pole, tmp_path, GOOD)
    task = make_folder(written.draft, tmp_path / "pole")
    assert try_task(task).refused == ()
    assert task.variables["cart_position"].doc == "position along the rail; 0 is the middle"
    assert task.variables["pole_angle"].unit == "rad"
    assert task.variables["cart_velocity"].doc == "Cart Velocity"
    assert task.fitness_doc == FITNESS["doc"] and task.success_doc == SUCCESS["doc"]
    [episode, _] = trial_episodes(task)
    assert task.fitness is not None and task.success is not None
    near = (abs(episode["cart_position"]) < 0.5) & (abs(episode["pole_angle"]) < 0.2)
    assert task.fitness(episode) == pytest.approx(near.sum() / task.episode_steps)
    assert task.success(episode) is False
    source = (task.folder / "task.py").read_text()
    assert source.count("# Written by the language model openai/test") == 2
    assert source.count('written_by="openai/test"') == 2
    readme = (task.folder / "README.md").read_text()
    assert "`openai/test`: the documentation of cart_position, pole_angle; the fitness;" in readme
    assert written.usage.requests == 3 and written.usage.prompt_tokens == server.prompt_tokens


def test_the_prompt_says_what_there_is_to_measure(pole: Draft, tmp_path: Path):
    _, server = write(pole, tmp_path, GOOD)
    words, fitness, success = (request["messages"][-1]["content"] for request in server.requests)
    for asked in (words, fitness, success):
        assert "Stay in the middle." in asked
        assert "full episode lasts 500 control steps (10 s)" in asked
        assert (
            "native_reward: Array  # (N,) 1; the environment's own reward of the step; hidden"
            in (asked)
        )
    assert "description" not in words.partition("# Your answer")[2]
    assert "# (N,) m; position along the rail; 0 is the middle; start: " in fitness
    assert "Without yours it would be: sum of the environment's own reward" in fitness
    assert f"The fitness of an episode is: {FITNESS['doc']}" in success
    system = server.requests[0]["messages"][0]["content"]
    assert "`quaternion_rotate(q, v)`" in system and "smooth_step(x, low, high)" in system


def test_without_a_sentence_the_model_describes_the_task(pole: Draft, tmp_path: Path):
    words = {**WORDS, "description": "Keep the pole upright on the cart."}
    written, server = write(pole, tmp_path, [answer(words), *GOOD[1:]], sentence=None)
    assert written.draft.description == "Keep the pole upright on the cart."
    assert "Keep the pole upright on the cart." in server.requests[1]["messages"][-1]["content"]
    assert written.draft.written[0] == "the description"


def test_refused_answers_go_back_with_what_is_wrong(pole: Draft, tmp_path: Path):
    wrong = answer({"doc": "", "over": {"centred": "median"}}, "import os\n" + CENTRED)
    half = answer({**FITNESS, "over": {"centered": "mean"}}, CENTRED)
    written, server = write(pole, tmp_path, [GOOD[0], wrong, half, *GOOD[1:]])
    assert written.refused == {}
    first, second = (request["messages"][-1]["content"] for request in server.requests[2:4])
    assert "- doc: it is empty" in first
    assert "- over.centred: Input should be 'mean', 'last', 'max' or 'min'" in first
    assert "the program's components are centred, and over names centered" in second
    assert server.requests[3]["messages"][-2]["content"] == half.strip()
    assert written.usage.requests == 5


@pytest.mark.parametrize(
    ("document", "program", "said"),
    [
        (FITNESS, CENTRED.replace("1.0, 0.0)", "1.0 / (cart_position - cart_position), 0.0)"),
         "fitness gives inf; it must give a finite number"),
        (FITNESS, CENTRED.replace("cart_position", "cart_place"), "not a variable of this task"),
        (FITNESS, "", "the program"),
        ("nothing", CENTRED, "the JSON: Input should be a valid dictionary"),
    ],
)  # fmt: skip
def test_a_hopeless_model_leaves_the_default_and_a_note(
    document, program: str, said: str, pole: Draft, tmp_path: Path
):
    bad = answer(document, program)
    written, server = write(pole, tmp_path, [GOOD[0], bad, bad, bad, GOOD[2]])
    assert len(server.requests) == 5
    assert said in written.refused["fitness"]
    [note, *_] = written.draft.notes
    assert note.startswith("the fitness is the default one: its answers were refused")
    assert "\n" not in note
    task = make_folder(written.draft, tmp_path / "pole")
    assert task.fitness_doc == "sum of the environment's own reward over an episode"
    assert task.success_doc == SUCCESS["doc"]
    assert faults_of(task) == []


def test_half_a_character_in_an_answer_is_no_defect(pole: Draft, tmp_path: Path):
    odd = GOOD[1].replace("should", "\ud800")
    written, _ = write(pole, tmp_path, [GOOD[0], "\ud800", odd, GOOD[2]])
    assert written.refused == {} and written.usage.requests == 4


def test_a_success_that_random_actions_reach_is_refused(pole: Draft, tmp_path: Path):
    easy = answer({**SUCCESS, "at_least": 0.0, "whole_episode": False}, CENTRED)
    written, _ = write(pole, tmp_path, [*GOOD[:2], easy, easy, easy])
    assert "random actions succeed" in written.refused["success"]
    assert any(note.startswith("there is no success: ") for note in written.draft.notes)


def test_a_person_decides_on_each_part(pole: Draft, tmp_path: Path):
    shown: list[Proposal] = []
    decisions: list[Decision] = ["default", "again", "accept", "default"]

    def decide(proposal: Proposal) -> Decision:
        shown.append(proposal)
        return decisions.pop(0)

    other = answer({**FITNESS, "doc": "another text"}, CENTRED)
    written, server = write(pole, tmp_path, [*GOOD[:2], other, GOOD[2]], decide)
    assert [proposal.part for proposal in shown] == [
        *("documentation", "fitness", "fitness", "success")
    ]
    assert shown[0].lines[0] == "cart_position [m]: position along the rail; 0 is the middle"
    assert shown[1].lines[0] == FITNESS["doc"] and "centred: mean" in shown[1].lines[1]
    assert shown[1].lines[-1].startswith("random actions: 0.0")
    assert written.draft.fitness_doc == "another text"
    assert written.draft.success_doc == "" and written.draft.written == ["the fitness"]
    assert written.refused == {} and written.draft.variables == pole.variables
    assert server.requests[1] == server.requests[2]


def test_a_success_of_the_draft_keeps_the_fitness_that_it_reads(tmp_path: Path):
    draft = draft_model(HOPPER, goal="speed=1")
    fitness = answer({"doc": "height of the root, m", "over": {"high": "max"}}, HIGH)
    written, _ = write(draft, tmp_path, [answer({}), fitness, "no", "no", "no"])
    task = make_folder(written.draft, tmp_path / "hop")
    source = (task.folder / "task.py").read_text()
    assert "return default_fitness(episode) >= SUCCESS_SPEED" in source
    assert task.fitness_doc == "height of the root, m" and faults_of(task) == []
    assert any("expert_reward.py" in note for note in written.draft.notes)


def test_numbers_that_nothing_reads_any_more_are_left_out(tmp_path: Path):
    draft = draft_model(HOPPER, goal="speed=1")
    fitness = answer({"doc": "height of the root, m", "over": {"high": "max"}}, HIGH)
    success = answer(
        {
            "doc": "the root was high",
            "over": {"high": "max"},
            "at_least": 2,
            "whole_episode": False,
        },
        HIGH,
    )
    written, _ = write(draft, tmp_path, [answer({}), fitness, success])
    names = [constant.name for constant in written.draft.constants]
    assert "SUCCESS_SPEED" not in names and "EPISODE_STEPS" in names
    assert "default_fitness" not in written.draft.functions
    assert faults_of(make_folder(written.draft, tmp_path / "hop")) == []


def test_a_task_without_a_goal_gets_its_baselines_from_the_measures(tmp_path: Path):
    draft = draft_model(HOPPER, goal="none", description="Jump.")
    fitness = answer({"doc": "height of the root, m", "over": {"high": "max"}}, HIGH)
    written, _ = write(draft, tmp_path, [answer({}), fitness, "no", "no", "no"], sentence="Jump.")
    task = make_folder(written.draft, tmp_path / "jump")
    assert task.fitness_doc == "height of the root, m"
    assert "root_position" in (task.folder / "expert_reward.py").read_text()
    assert try_task(task).refused == ()


def test_a_provider_that_keeps_failing_ends_it(pole: Draft, tmp_path: Path):
    with CompletionServer(GOOD, faults=["500", "500"]) as server:
        model = connect(
            "openai/test", server.base_url, patience=Patience(attempts=2, first_wait=0.01)
        )
        task = make_folder(pole, tmp_path / "default")
        author = Author(model, task, pole, sentence=None, decide=lambda proposal: "accept",
            progress=lambda line: None)  # fmt: skip
        with pytest.raises(RunError, match=r"failed 2 times.*nothing was made, try again later"):
            author.write()
