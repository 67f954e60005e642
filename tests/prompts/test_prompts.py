"""What a prompt says, what it never says, and whose templates it is made from."""

import inspect
import shutil
from dataclasses import replace

import numpy as np
import pytest

from reward_synth.authoring.replies import read_measure
from reward_synth.errors import UserError
from reward_synth.feedback.templates import prompts_folder, render
from reward_synth.llm import ChatMessage, extract_program
from reward_synth.reward import check
from reward_synth.search.prompts import (
    improve_messages,
    initial_messages,
    language_values,
    repair_messages,
)
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import Episode, list_tasks, load_task, reward_source
from sandbox.messages import ProbeFinding
from tests.prompts.small_task import SIZES, TASK


def roles(messages: list[ChatMessage]) -> list[str]:
    return [message.role for message in messages]


@pytest.fixture
def initial() -> list[ChatMessage]:
    return initial_messages(TASK, SIZES)


def test_the_example_of_the_reward_language_is_right(initial):
    example = extract_program(initial[0].content)
    assert "compute_reward" in example
    assert check(example, {"handle_offset": 3, "door_angle": None, "action": 4}) == []


def test_the_example_of_a_measure_passes_the_checks_of_an_answer():
    system = render("authoring/system.md.j2", None, **language_values())
    steps = {name: np.linspace(0.0, 1.0, 5) for name in ("door_angle", "door_speed")}
    episode = Episode(steps, np.zeros((5, 1)), False, 0.1)
    sizes = {"door_angle": None, "door_speed": None, "action": 1}
    measure = read_measure(system, "fitness", TASK, sizes, [episode])
    assert measure.over == {"opened": "last", "slammed": "mean"}


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("up = xp.where((a > 0.0) & ~(a > WIDE) | (a < -WIDE), 1.0, 0.0)", True),
        ("up = xp.sum(v[:, 0:2] * a[:, None], axis=-1)", True),
        ("up = half(a) if WIDE > 1.0 else a", True),
        ("up = a + prev_a + xp.pi * v[:, 0]", True),
        ("up = tolerance(a, bounds=(0.0, WIDE), margin=1.0, sigmoid='linear')", True),
        ("up = xp.sum(a)", False),
        ("up = xp.sum(v, axis=0)", False),
        ("up = 1.0 if a > 0.0 else 0.0", False),
        ("up = a > 0.0 and a < 1.0", False),
        ("up = np.abs(a)", False),
        ("up = v.sum(axis=-1)", False),
        ("up = a * v.shape[1]", False),
        ("up = abs(a)", False),
        ("v[:, 0] = 0.0; up = a", False),
        ("up = sum([a for _ in range(3)])", False),
        ("import math; up = a", False),
    ],
)
def test_what_the_prompt_says_of_the_language_is_so(line, right):
    source = (
        "WIDE = 2.0\n\n\ndef half(x):\n    return x / 2.0\n\n\n"
        f"def compute_reward(a, prev_a, v):\n    {line}\n"
        "    total = up + 0.0 * half(a + prev_a + v[:, 0])\n"
        "    return total, {'up': total}\n"
    )
    assert (check(source, {"a": None, "v": 3, "action": 1}) == []) == right


def test_an_improve_prompt_remembers_the_last_best_answer_only(initial):
    first = improve_messages(initial, "the first answer", "reflection one")
    second = improve_messages(initial, "the second answer", "reflection two")
    assert roles(second) == ["system", "user", "assistant", "user"]
    assert second[:2] == first[:2] == initial
    assert second[2].content == "the second answer"
    assert second[3].content.startswith("reflection two\n")
    assert "reflection one" not in second[3].content


def test_a_second_repair_carries_the_whole_conversation(initial):
    finding = ProbeFinding(level="error", code="x", message="wrong", line=2, column=5)
    once = repair_messages(initial, "```\ndef compute_reward(a):\n    return a\n```", [finding])
    twice = repair_messages(once, "", [finding])
    assert roles(twice) == ["system", "user", "assistant", "user", "assistant", "user"]
    assert twice[: len(once)] == once
    assert "line 2, column 5, `return a`: wrong" in once[-1].content
    assert "line 2, column 5: wrong" in twice[-1].content, "there is no line to quote"
    assert twice[-2].content == "(an empty answer)", "providers refuse empty messages"


def test_ranges_are_told_only_where_they_are_known(initial):
    assert "random" not in initial[1].content


def test_a_task_that_does_not_say_what_ends_it():
    silent = replace(TASK, terminated=lambda v, xp: v["pole_up"] > 2.0)
    assert (
        "**Early end**: the task does not say when." in initial_messages(silent, SIZES)[1].content
    )


@pytest.mark.parametrize("name", list_tasks())
def test_a_prompt_holds_every_public_variable_and_no_code_of_the_task(name):
    task = load_task(name)
    simulator = MujocoSimulator(task, 1)
    sizes = simulator.variable_sizes
    simulator.close()
    system, user = (message.content for message in initial_messages(task, sizes))
    text = f"{system}\n{user}"
    for variable, meaning in task.variables.items():
        assert (f"\n{variable}: Array  # " in text) == meaning.public
    assert "\naction: Array  # (N, " in text
    assert "{{" not in text
    assert "None" not in user
    assert task.fitness is not None
    hidden = [inspect.getsource(task.fitness), inspect.getsource(task.terminated)]
    hidden += [reward_source(task, which) for which in ("expert", "sparse")]
    for line in "\n".join(hidden).splitlines():
        code = line.strip()
        if "=" in code or code.startswith("return"):
            assert code not in text


def test_a_folder_of_ones_own(tmp_path):
    shutil.copytree(prompts_folder() / "eureka", tmp_path / "eureka")
    (tmp_path / "eureka" / "task.md.j2").write_text("Task: {{ description }}")
    system, user = initial_messages(TASK, SIZES, folder=tmp_path)
    assert system == initial_messages(TASK, SIZES)[0]
    assert user.content == "Task: Swing the pole up and keep it there."


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ descripton }}", "'descripton' is undefined"),
        ("{% if %}", "Expected an expression"),
        (None, "there is no prompt template"),
    ],
)
def test_a_broken_template_is_named(tmp_path, template, says):
    shutil.copytree(prompts_folder() / "eureka", tmp_path / "eureka")
    path = tmp_path / "eureka" / "task.md.j2"
    path.unlink()
    if template is not None:
        path.write_text(template)
    with pytest.raises(UserError) as caught:
        initial_messages(TASK, SIZES, folder=tmp_path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
