"""Loading task folders: what works, and the one line for every way a folder can be wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.task import baselines, list_tasks, load_task, reward_source
from reward_synth.task.loader import Which, builtin_tasks

TASK = '''"""A pole on a cart."""

import numpy as np

from reward_synth.task import *


def reset(rng, n):
    return rng.uniform(-0.1, 0.1, (n, 2)), np.zeros((n, 2))


task = Task(
    description="Balance the pole.",
    model=GymnasiumModel("inverted_pendulum.xml"),
    variables={
        "position": Variable("where the cart is", "m", JointPosition("slider")),
        "angle": Variable("lean of the pole", "rad", JointPosition("hinge")),
    },
    observation=("position", "angle"),
    frame_skip=2,
    episode_steps=20,
    reset=reset,
    terminated=lambda v, xp: xp.abs(v["angle"]) > 0.5,
    fitness=lambda episode: float(len(episode)),
    fitness_doc="control steps survived",
    training_steps=1000,
)
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "balance").mkdir()
    (tmp_path / "balance" / "task.py").write_text(TASK)
    return tmp_path / "balance"


def refusal(name_or_path: str | Path) -> str:
    with pytest.raises(UserError) as caught:
        load_task(name_or_path)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", list_tasks())
def test_every_built_in_task_loads_with_its_rewards_and_baselines(name: str) -> None:
    task = load_task(name)
    assert task.name == name
    assert task.folder == builtin_tasks() / name
    assert "def compute_reward(" in reward_source(task, "expert")
    assert "def compute_reward(" in reward_source(task, "sparse")
    for baseline in baselines(task).values():
        assert baseline.low <= baseline.mean <= baseline.high


def test_a_folder_of_ones_own_loads_by_path(folder: Path, monkeypatch) -> None:
    assert load_task(folder).name == "balance"
    assert load_task(str(folder)).folder == folder
    assert load_task(folder / "task.py").folder == folder
    monkeypatch.chdir(folder.parent)
    assert load_task("balance").folder == folder
    monkeypatch.chdir(folder)
    assert load_task(".").name == "balance"


def test_loading_leaves_the_folder_and_the_search_path_alone(folder: Path) -> None:
    path = list(sys.path)
    load_task(folder)
    assert sys.path == path
    assert [entry.name for entry in folder.iterdir()] == ["task.py"]


def test_a_changed_file_is_read_again(folder: Path) -> None:
    assert load_task(folder).episode_steps == 20
    (folder / "task.py").write_text(TASK.replace("episode_steps=20", "episode_steps=30"))
    assert load_task(folder).episode_steps == 30


def test_listing_and_loading_import_no_simulator() -> None:
    program = (
        "import sys; from reward_synth.task import list_tasks, load_task\n"
        "for name in list_tasks(): load_task(name)\n"
        "print([m for m in ('mujoco', 'gymnasium', 'torch', 'jax') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "[]"


def test_a_misspelt_name_suggests_the_nearest() -> None:
    message = refusal("Cheeta-run")
    assert "unknown task 'Cheeta-run'; did you mean cheetah-run?" in message
    assert "hopper-forward" in message


def test_a_name_like_no_other_lists_what_there_is() -> None:
    message = refusal("zzzz")
    assert "did you mean" not in message
    assert "cheetah-run, " in message


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert f"no such task folder: {tmp_path / 'nothing'}" in refusal(tmp_path / "nothing")


def test_a_folder_without_task_py(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} is not a task folder: it has no task.py"


def test_a_file_instead_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "some.txt").write_text("")
    assert "is a file; give the task's folder" in refusal(tmp_path / "some.txt")


@pytest.mark.parametrize("name", ["", "  ", "a\0b/c", "x/" * 3000])
def test_names_that_no_file_system_takes(name: str) -> None:
    refusal(name)


WRONG = {
    "a syntax error": ("fitness_doc=", "fitness_doc=)", "task.py, line 27: unmatched"),
    "an error at import": ("import numpy as np", "1 / 0", "line 3: ZeroDivisionError: division"),
    "a missing module": ("import numpy as np", "import nmpy", "No module named 'nmpy'"),
    "an exit at import": ("import numpy as np", "raise SystemExit(3)", "line 3: SystemExit: 3"),
    "an unknown setting": ("frame_skip=2", "frameskip=2", "'frameskip'"),
    "no task": ("task = Task(", "other = Task(", "defines no task; write task = Task(...)"),
    "a task of another type": ("task = Task(", "task = dict(", "task is a dict, not"),
    "an empty description": ("Balance the pole.", " ", "description is empty; say in one"),
    "an empty fitness_doc": ("control steps survived", "", "fitness_doc is empty"),
    "a fitness_doc alone": (
        "    fitness=lambda episode: float(len(episode)),\n",
        "",
        "fitness_doc says what fitness measures, and there is no fitness",
    ),
    "success without words": (
        "training_steps=1000",
        "training_steps=1000, success=lambda e: True",
        "success_doc is empty",
    ),
    "a frame_skip of 0": ("frame_skip=2", "frame_skip=0", "frame_skip is 0; give a positive"),
    "a frame_skip of True": ("frame_skip=2", "frame_skip=True", "frame_skip is True"),
    "half an episode step": ("episode_steps=20", "episode_steps=2.5", "episode_steps is 2.5"),
    "negative training": ("training_steps=1000", "training_steps=-1", "training_steps is -1"),
    "a wrong PPO setting": (
        "training_steps=1000",
        "training_steps=1000, ppo=PpoSettings(environments=0)",
        "ppo.environments is 0",
    ),
    "a variable with a space": ('"angle": V', '"the angle": V', "'the angle' is not a Python"),
    "a variable called lambda": ('"angle": V', '"lambda": V', "'lambda' is not a Python name"),
    "a variable called action": ('"angle": V', '"action": V', "'action' is taken"),
    "a variable called xp": ('"angle": V', '"xp": V', "'xp' is taken"),
    "a variable called prev_": ('"angle": V', '"prev_angle": V', "'prev_angle' is taken"),
    "an undocumented variable": ("lean of the pole", "", "variable 'angle' has no doc"),
    "a variable without unit": ('"rad"', '""', "variable 'angle' has no unit"),
    "not a variable": ('Variable("lean of the pole", "rad", ', "(", "'angle' is a JointPosition"),
    "an unknown binding": ('JointPosition("hinge")', '"hinge"', "'angle' is bound to a str"),
    "a binding without joints": ('JointPosition("hinge")', "JointPosition()", "needs joint names"),
    "a derived constant": ('JointPosition("hinge")', "Derived(3)", "Derived needs a function"),
    "an unknown observation": (
        'observation=("position", "angle")',
        'observation=("position", "angel")',
        "observation names the unknown variable 'angel'; did you mean 'angle'?",
    ),
    "an observation that is text": ('("position", "angle")', '"angle"', "observation is not a"),
    "no observation": ('("position", "angle")', "()", "observation is not a"),
    "a reset that is no function": ("reset=reset", "reset=None", "reset is None; give a function"),
    "an unknown gymnasium model": (
        '"inverted_pendulum.xml"',
        '"inverted_pendullum.xml"',
        "no model 'inverted_pendullum.xml'; did you mean 'inverted_pendulum.xml'?",
    ),
    "a missing model file": (
        'GymnasiumModel("inverted_pendulum.xml")',
        'MjcfFile("robot.xml")',
        "robot.xml does not exist",
    ),
    "a model that is text": ('GymnasiumModel("inverted_pendulum.xml")', '"a.xml"', "is a str"),
}


@pytest.mark.parametrize("old, new, expected", WRONG.values(), ids=list(WRONG))
def test_wrong_task_files(folder: Path, old: str, new: str, expected: str) -> None:
    assert TASK.count(old) == 1
    (folder / "task.py").write_text(TASK.replace(old, new))
    message = refusal(folder)
    assert message.startswith(str(folder / "task.py"))
    assert expected in message


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"x = 1\0", b"x = '\xe9'"])
def test_task_files_that_are_no_text(folder: Path, content: bytes) -> None:
    (folder / "task.py").write_bytes(content)
    assert str(folder / "task.py") in refusal(folder)


def test_rewards_are_missed_only_when_asked_for(folder: Path) -> None:
    task = load_task(folder)
    cases: list[tuple[Which, bytes | None, str]] = [
        ("expert", None, "has no expert_reward.py"),
        ("sparse", b"  \n", "sparse_reward.py is empty"),
        ("sparse", b"# \xe9", "sparse_reward.py is not UTF-8 text (byte 2)"),
    ]
    for which, content, expected in cases:
        if content is not None:
            (folder / f"{which}_reward.py").write_bytes(content)
        with pytest.raises(UserError, match="reward") as caught:
            reward_source(task, which)
        assert expected in str(caught.value)


BASELINE = {
    "steps": 1000,
    "seeds": [0, 1],
    "fitness": [1.0, 3.0],
    "mean": 2.0,
    "low": 1.0,
    "high": 3.0,
    "seconds": 4.5,
    "machine": "two cores",
    "date": "2026-01-01",
}


def test_baselines(folder: Path) -> None:
    task = load_task(folder)
    assert baselines(task) == {}
    (folder / "baselines.json").write_text(json.dumps({"expert": BASELINE}))
    found = baselines(task)
    assert list(found) == ["expert"]
    assert found["expert"].fitness == [1.0, 3.0]


@pytest.mark.parametrize(
    "content, expected",
    [
        ("", "Invalid JSON"),
        ("[]", "should be an object"),
        (json.dumps({"best": BASELINE}), "'expert' or 'sparse'"),
        (json.dumps({"expert": {**BASELINE, "mean": "high"}}), "expert.mean: "),
        (json.dumps({"expert": {**BASELINE, "mean": None}}), "expert.mean: "),
        (json.dumps({"expert": {**BASELINE, "note": 1}}), "expert.note: Extra"),
        (json.dumps({"expert": {**BASELINE, "seeds": [0]}}), "1 seeds but 2 fitness"),
        (json.dumps({"expert": {k: BASELINE[k] for k in BASELINE if k != "low"}}), "expert.low: "),
    ],
)
def test_broken_baselines(folder: Path, content: str, expected: str) -> None:
    task = load_task(folder)
    (folder / "baselines.json").write_text(content)
    with pytest.raises(UserError, match="measure the baselines again") as caught:
        baselines(task)
    assert str(folder / "baselines.json") in str(caught.value)
    assert expected in str(caught.value)
