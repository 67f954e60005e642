"""Task folders for environments that others wrote, from their ids alone."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from reward_synth.authoring import catalogue
from reward_synth.authoring.environments import draft_environment
from reward_synth.authoring.making import make_folder, task_on_the_fly, try_task
from reward_synth.errors import UserError
from reward_synth.simulation import task_spec
from reward_synth.task import VectorEnvironment, reward_source

NEEDS_ENVPOOL = pytest.mark.skipif(find_spec("envpool") is None, reason="EnvPool is not installed")


def test_documented_entries_become_variables_with_names_and_units(tmp_path: Path) -> None:
    task = make_folder(draft_environment(VectorEnvironment("CartPole-v1")), tmp_path / "pole")
    public = [name for name, variable in task.variables.items() if variable.public]
    assert public == ["cart_position", "cart_velocity", "pole_angle", "pole_angular_velocity"]
    assert task.episode_steps == 500 and task.ppo.entropy_coefficient > 0
    assert task_spec(task).action_space.choices == (2,)
    assert "def compute_reward(native_reward)" in reward_source(task, "expert")
    assert "alive" in reward_source(task, "sparse")


def test_the_rewards_of_a_made_task_pass_the_gate(tmp_path: Path) -> None:
    task = make_folder(draft_environment(VectorEnvironment("Pendulum-v1")), tmp_path / "swing")
    trial = try_task(task)
    assert trial.refused == () and trial.steps_per_second > 0
    assert "THRESHOLD" in (task.folder / "sparse_reward.py").read_text()


@NEEDS_ENVPOOL
def test_goals_and_success_of_a_manipulation_environment(tmp_path: Path) -> None:
    draft = draft_environment(VectorEnvironment("FetchReach-v4", pool="envpool"))
    task = make_folder(draft, tmp_path / "reach")
    assert {"achieved_goal", "desired_goal", "goal_error"} <= task.variables.keys()
    assert not task.variables["success_flag"].public
    assert not (task.folder / "sparse_reward.py").exists()
    assert "success_flag" in reward_source(task, "sparse")
    assert task.success is not None


@NEEDS_ENVPOOL
def test_meta_worlds_observation_is_named_in_words(tmp_path: Path) -> None:
    draft = draft_environment(VectorEnvironment("MetaWorld/DrawerOpen-v3", pool="envpool"))
    task = make_folder(draft, tmp_path / "drawer")
    spec = task_spec(task)
    assert spec.observation_size == 39
    assert spec.variable_sizes["hand_to_object"] == 3


def test_images_are_refused_in_one_line() -> None:
    if find_spec("envpool") is None:
        pytest.skip("EnvPool is not installed")
    with pytest.raises(UserError) as caught:
        draft_environment(VectorEnvironment("CoinrunEasy-v0", pool="envpool"))
    assert "\n" not in str(caught.value) and "CoinrunEasy-v0" in str(caught.value)


def test_an_id_becomes_a_folder_once(tmp_path: Path) -> None:
    lines: list[str] = []
    folder = task_on_the_fly("Acrobot-v1", tmp_path, lines.append)
    assert folder == str(tmp_path / "tasks" / "Acrobot-v1") and len(lines) == 1
    before = (Path(folder) / "task.py").stat().st_mtime_ns
    assert task_on_the_fly("Acrobot-v1", tmp_path, lines.append) == folder
    assert (Path(folder) / "task.py").stat().st_mtime_ns == before and len(lines) == 1
    assert task_on_the_fly("cheetah-run", tmp_path) == "cheetah-run"
    assert task_on_the_fly("./nowhere", tmp_path) == "./nowhere"


def test_unknown_ids_name_the_nearest_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        task_on_the_fly("Pendulm-v1", tmp_path)
    said = str(caught.value)
    assert "did you mean Pendulum-v1?" in said and "\n" not in said
    assert "tasks new" in said and "tasks search" in said


def test_what_exists_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        make_folder(draft_environment(VectorEnvironment("CartPole-v1")), tmp_path)
    assert (tmp_path / "kept.txt").read_text() == "mine"


def test_a_search_finds_parts_of_ids() -> None:
    entries = catalogue.catalogue()
    assert {"cheetah-run"} <= {entry.id for entry in catalogue.search("cheetah", entries)}
    found = catalogue.search("lander gymnasium", entries)
    assert "LunarLander-v3" in {entry.id for entry in found}
    assert catalogue.search("no such thing", entries) == []
    assert catalogue.nearest("Pendulm-v1", entries)[0] == "Pendulum-v1"
