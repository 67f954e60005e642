"""``tasks`` and ``tasks show``."""

import pytest

from tests.cli.command import reward_synth

BUILT_IN = [
    "ant-forward",
    "cartpole-swingup",
    "cheetah-run",
    "hopper-backflip",
    "hopper-forward",
    "humanoid-run",
    "reacher-reach",
]


def test_list():
    listed = reward_synth("tasks", "--json").json
    assert [task["name"] for task in listed] == BUILT_IN
    hopper = next(task for task in listed if task["name"] == "hopper-forward")
    assert hopper["episode_steps"] == 1000
    table = reward_synth("tasks").out
    assert "hopper-forward" in table
    assert hopper["description"].split()[0] in table


@pytest.mark.parametrize(
    ("task", "observation", "actions"),
    [("hopper-forward", 11, 3), ("cheetah-run", 17, 6), ("cartpole-swingup", 5, 1)],
)
def test_show_tells_the_sizes_of_gymnasium(task: str, observation: int, actions: int):
    shown = reward_synth("tasks", "show", task, "--json").json
    assert shown["observation_size"] == observation
    assert shown["action_size"] == actions
    assert shown["rewards"] == {"expert": True, "sparse": True}


def test_show_lists_public_variables_with_shape_and_unit():
    variables = reward_synth("tasks", "show", "cartpole-swingup", "--json").json["variables"]
    by_name = {variable["name"]: variable for variable in variables}
    assert by_name["cart_velocity"]["unit"] == "m/s"
    assert by_name["cart_velocity"]["shape"] == "(N,)"
    assert "hinge_angle" not in by_name  # private: the fitness may read it, a reward may not
    told = reward_synth("tasks", "show", "cartpole-swingup").out
    assert "cart_velocity" in told
    assert "prev_NAME" in told


def test_unknown_task_suggests_the_nearest():
    told = reward_synth("tasks", "show", "hoper-forward")
    assert told.status == 2
    assert told.out == ""
    assert "did you mean hopper-forward?" in told.err
    assert told.err.count("\n") == 1
