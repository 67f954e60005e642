"""Statistics of variables, against values that can be worked out by hand."""

import numpy as np
import pytest

from reward_synth.simulation import task_spec
from reward_synth.simulation.statistics import variable_statistics
from reward_synth.task import Derived, Sensor, Variable, list_tasks, load_task
from tests.simulation.robots import robot_task


def test_statistics_of_a_clock_and_a_constant(tmp_path) -> None:
    """Episodes of 10 steps of 0.03 s: the clock shows the start of the last of 3 substeps."""
    task = robot_task(
        tmp_path,
        {
            "time": Variable("time", "s", Sensor("clock", "")),
            "pair": Variable("pair", "m", Derived(lambda v, xp: xp.stack([v["time"]] * 2, -1) + 1)),
            "secret": Variable("secret", "m", Derived(lambda v, xp: v["time"]), public=False),
        },
    )
    found = variable_statistics(task, environments=4, steps=30)
    assert set(found) == {"slide", "time", "pair"}
    times = 0.02 + 0.03 * np.arange(10)
    assert found["time"].min == pytest.approx(times[0])
    assert found["time"].max == pytest.approx(times[-1])
    assert found["time"].mean == pytest.approx(times.mean())
    assert found["time"].std == pytest.approx(times.std())
    # Always 0.03 from one step to the next, once the resets are left out.
    assert found["time"].step_std == pytest.approx(0.0, abs=1e-12)
    assert found["pair"].mean == pytest.approx(times.mean() + 1)
    assert found["time"].min <= found["time"].low < found["time"].high <= found["time"].max


def test_the_seed_decides_and_environments_differ() -> None:
    task = load_task("hopper-forward")
    one = variable_statistics(task, steps=40)
    assert one == variable_statistics(task, steps=40)
    assert one != variable_statistics(task, steps=40, seed=1)


@pytest.mark.parametrize("name", list_tasks())
def test_every_public_variable_of_a_built_in_task_moves(name: str) -> None:
    task = load_task(name)
    found = variable_statistics(task, environments=4, steps=64)
    assert set(found) == {key for key, variable in task.variables.items() if variable.public}
    for key, statistics in found.items():
        overall = {name: value for name, value in vars(statistics).items() if name != "entries"}
        assert np.isfinite(np.hstack(list(overall.values()))).all(), key
        assert len(statistics.entries) == (task_spec(task).variable_sizes[key] or 1)
        lows = [entry.random[0] for entry in statistics.entries]
        assert min(lows) <= statistics.low <= max(lows), key
        assert statistics.min <= statistics.start[0] <= statistics.start[1] <= statistics.max, key
        assert statistics.std > 0, key
