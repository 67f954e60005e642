"""The benchmark of environments of others."""

from pathlib import Path

import numpy as np

from benchmarks import environments
from reward_synth.reward import parse
from reward_synth.simulation import task_spec
from reward_synth.task import load_task

SMALL = environments.Setting("Pendulum-v1", (None,), 200)


def test_tasks_and_programs_of_the_benchmark_are_sound(tmp_path: Path) -> None:
    folder = environments.write_task(SMALL, tmp_path)
    spec = task_spec(load_task(folder))
    for member in environments.members_of(folder, "", 9):
        assert "seen_0" in parse(member.program, spec.readable).arguments


def test_collecting_goes_by_whole_rollouts(tmp_path: Path) -> None:
    folder = environments.write_task(SMALL, tmp_path)
    run = environments.ours(str(folder), environments.programs_in(folder)[:2], 1)
    assert run(0.01) == 2 * environments.ENVIRONMENTS * load_task(folder).ppo.rollout_steps


def test_stable_baselines_sees_the_state_in_which_time_ran_out() -> None:
    environment = environments.pooled(SMALL, 2, seed=0)
    before = environment.reset()
    push = np.zeros((2, 1), np.float32)
    seen, infos = before, [{}]
    for step in range(1, 201):
        seen, _, done, infos = environment.step(push)
        assert done.all() == (step == 200)
        reached = infos[0]["terminal_observation"] if done[0] else seen[0]
        # Without torque the velocity changes by at most 3 g / (2 l) dt in a step.
        assert abs(reached[2] - before[0][2]) <= 0.75 + 1e-5
        before = seen
    assert infos[0]["TimeLimit.truncated"]
    assert not np.allclose(infos[0]["terminal_observation"], seen[0])
