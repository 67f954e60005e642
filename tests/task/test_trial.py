"""Faults of a task's functions that only running them shows: one line each, all at once."""

from pathlib import Path

import pytest

from reward_synth.errors import FaultsError
from reward_synth.simulation.trial import check_functions, faults_of
from reward_synth.task import Task, list_tasks, load_task
from tests.cli.command import CHECKOUT, reward_synth

TASK = '''
import numpy as np
from reward_synth.task import *

COUNT = [0]
{helpers}
variables = {{
    "angle": Variable("angle", "rad", JointPosition("hinge")),
    "spin": Variable("velocity", "rad/s", JointVelocity("hinge")),
    {variables}
}}

def reset(rng, n):
    return {reset}

def terminated(v, xp):
    """Never."""
    return {terminated}

def fitness(episode):
    return {fitness}

def success(episode):
    return {success}

task = Task(
    description="Hold the pendulum.", model=MjcfFile("model.xml"), variables=variables,
    observation=("angle", "spin"), frame_skip=2, episode_steps=20, training_steps=1000,
    reset=reset, terminated=terminated, fitness=fitness, fitness_doc="it", success=success,
    success_doc="it",
)
'''
SOUND = {
    "helpers": "",
    "variables": "",
    "reset": "rng.normal(size=(n, 1)), np.zeros((n, 1))",
    "terminated": 'xp.abs(v["angle"]) > 100.0',
    "fitness": 'float(episode["angle"].mean())',
    "success": "fitness(episode) > 0",
}
MODEL = """
<mujoco><worldbody><body><joint name="hinge" axis="0 1 0" damping="0.1"/>
<geom type="capsule" fromto="0 0 0 0 0 -0.3" size="0.02" mass="1"/></body></worldbody>
<actuator><motor joint="hinge" ctrlrange="-1 1" ctrllimited="true"/></actuator></mujoco>
"""


def made(folder: Path, **changes: str) -> Task:
    (folder / "model.xml").write_text(MODEL)
    (folder / "task.py").write_text(TASK.format(**{**SOUND, **changes}))
    return load_task(folder)


def derived(function: str) -> str:
    return f'"derived": Variable("it", "1", Derived({function})),'


@pytest.mark.parametrize("name", list_tasks())
def test_built_in_tasks_are_sound(name: str) -> None:
    assert faults_of(load_task(name), tensors=True) == []


@pytest.mark.parametrize("name", ["quadruped-velocity", "push-to-goal"])
def test_the_examples_are_sound(name: str) -> None:
    assert faults_of(load_task(CHECKOUT / "examples" / "tasks" / name), tensors=True) == []


@pytest.mark.parametrize(
    ("changes", "line", "expected"),
    [
        (
            {"variables": derived('lambda v, xp: v["angle"] - xp.mean(v["angle"])')},
            10,
            "variable 'derived' of one environment depends on the others; reduce over axis=-1",
        ),
        (
            {"variables": derived('lambda v, xp: v["angle"] + np.random.rand()')},
            10,
            "variable 'derived' gives other values for the same states; leave out random numbers",
        ),
        (
            {"variables": derived('lambda v, xp: np.where(v["angle"] > 0, 1.0, 0.0)')},
            10,
            "variable 'derived' gives something else on tensors than on arrays; use xp in place",
        ),
        (
            {
                "variables": '"memory": Variable("it", "1", '
                'Accumulated(lambda m, v, xp: m + xp.max(v["angle"]))),'
            },
            10,
            "variable 'memory' of one environment depends on the others",
        ),
        (
            {"terminated": 'v["angle"] > np.random.normal()'},
            16,
            "terminated gives other values for the same states",
        ),
        (
            {"reset": "np.random.normal(size=(n, 1)), np.zeros((n, 1))"},
            13,
            "reset gives other states for the same rng; draw all random numbers from the rng",
        ),
        (
            {"fitness": "None", "success": "True"},
            20,
            "fitness gives None; it must give a finite number",
        ),
        ({"fitness": 'float("nan")'}, 20, "fitness gives nan; it must give a finite number"),
        (
            {"fitness": 'episode["angle"]', "success": "True"},
            20,
            "fitness gives an array of shape (20,); it must",
        ),
        (
            {"fitness": 'float(episode["angel"][0])', "success": "True"},
            20,
            "fitness reads the unknown variable 'angel'; did you mean 'angle'?",
        ),
        ({"fitness": "1.0 / 0.0", "success": "True"}, 20, "fitness raised ZeroDivisionError"),
        ({"fitness": "np.random.rand()", "success": "True"}, 20, "fitness gives other values for"),
        ({"success": "0.5"}, 23, "success gives 0.5; it must give True or False"),
    ],
)
def test_a_fault_is_one_line_with_file_line_and_cure(
    changes: dict[str, str], line: int, expected: str, tmp_path: Path
) -> None:
    [fault] = faults_of(made(tmp_path, **changes), tensors=True)
    assert fault.startswith(f"{tmp_path / 'task.py'}, line {line}: ")
    assert expected in fault and "\n" not in fault


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    task = made(
        tmp_path,
        variables=derived('lambda v, xp: v["angle"] - xp.mean(v["angle"])'),
        reset="np.random.normal(size=(n, 1)), np.zeros((n, 1))",
        fitness="None",
        success="1",
    )
    with pytest.raises(FaultsError) as caught:
        check_functions(task)
    assert len(caught.value.faults) == 4
    for command in (("tasks", "show"), ("run",), ("train", "--reward", "expert")):
        said = reward_synth(*command, tmp_path, cwd=tmp_path)
        assert said.status == 2 and said.out == ""
        assert said.err.count("\n") == said.err.count("error: ") == 4


def test_modules_next_to_the_task_are_its_own(tmp_path: Path) -> None:
    """Two tasks with modules of the same name, and a package."""
    for name, phase in (("one", 0.25), ("two", 0.75)):
        folder = tmp_path / name
        (folder / "parts").mkdir(parents=True)
        (folder / "gait.py").write_text("from parts.numbers import PHASE\n")
        (folder / "parts" / "__init__.py").write_text("")
        (folder / "parts" / "numbers.py").write_text(f"PHASE = {phase}\n")
        task = made(folder, helpers="from gait import PHASE", fitness="PHASE")
        assert task.fitness is not None and task.fitness(None) == phase  # pyright: ignore
        left = {path.name for path in folder.rglob("*")}
        assert "__pycache__" not in left
