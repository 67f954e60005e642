"""Small sweeps to their ends: what they find, and what a failure or a limit does to them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.evaluation.legs import StoppedError
from reward_synth.search import RunConfig
from reward_synth.search.trainings import local_pool
from reward_synth.store import Store
from reward_synth.store.sweeps import find_sweep, runs_of
from reward_synth.sweep.driving import carry_out
from reward_synth.sweep.sharing import Machine
from reward_synth.task import Task, load_task
from sandbox.messages import ProbeJob, ProbeResult
from tests.search.small_searches import upright
from tests.servers import CompletionServer
from tests.sweep.small_sweeps import Heard, plan, run, statuses

NO_BASELINES = {"baselines": False}
PROSE = "I am sorry, but I cannot help with that."


def test_a_failing_run_leaves_the_others_alone_and_goes_on_later(tmp_path: Path):
    settings = {"iterations": 1, "samples": 1, "steps": 512, "finalists": 0, "repairs": 0}
    settings |= {"evaluation_episodes": 2, "task": "cartpole-swingup"}
    fields = {"settings": settings, **NO_BASELINES}
    with CompletionServer([PROSE]) as silent, CompletionServer([upright(1.0)]) as good:
        nowhere = good.base_url.replace("/v1", "/none")
        names = ["offline", f"a@{silent.base_url}", f"b@{good.base_url}", f"c@{nowhere}"]
        finished = run(tmp_path, grid={"model": names}, **fields)
    assert list(statuses(finished).values()) == ["finished", "failed", "finished", "failed"]
    reasons = [state.reason for state in finished.results.states.values()]
    assert "none of 1 candidates could be trained" in reasons[1] and reasons[3]
    document = finished.results.document()
    assert [one["reason"] for one in document["runs"]] == reasons
    assert [one["result"]["fitness"] is None for one in document["runs"][:2]] == [False, True]
    assert "cannot help" not in finished.page.read_text()
    assert "none of 1 candidates could be trained" in finished.page.read_text()

    with Store.open(tmp_path / "runs") as store:
        before = {cell: run for cell, (run, _, _) in runs_of(store, "night").items()}
    again = run(tmp_path, resume=True, grid={"model": ["offline"]}, **fields)
    [cell] = again.results.plan.cells
    assert again.results.states[cell.key].run == before[cell.key]


def test_a_sweep_is_not_begun_twice_and_tells_what_changed(tmp_path: Path):
    first = run(tmp_path, grid={"task": ["cartpole-swingup"], "seed": [0]}, **NO_BASELINES)
    [cell] = first.results.plan.cells
    with pytest.raises(UserError, match=r"there is a sweep .night. .*--resume"):
        run(tmp_path, grid={"task": ["cartpole-swingup"], "seed": [0]}, **NO_BASELINES)

    asked = plan(tmp_path, grid={"task": ["cartpole-swingup"], "seed": [1]}, **NO_BASELINES)
    heard = Heard()
    other = carry_out(asked, runs_dir=tmp_path / "runs", watcher=heard, resume=True)
    assert [line for line in heard.said if "offline" in line] == [
        f"new: {asked.cells[0].label}",
        f"not asked for any more: {cell.label}",
    ]
    assert [row.run for row in other.results.rows.values()] != [first.results.states[cell.key].run]
    assert len(other.results.rows) == 1


def test_money_and_tokens_hold_for_all_runs_together(tmp_path: Path):
    settings = {"iterations": 2, "samples": 1, "steps": 512, "finalists": 0, "rungs": []}
    settings |= {"evaluation_episodes": 2, "task": "cartpole-swingup"}
    with CompletionServer([upright(k / 8) for k in range(1, 9)]) as server:
        settings |= {"model": "m", "base_url": server.base_url}
        fields = {"grid": {"seed": [0, 1]}, "settings": settings, "at_once": 1, **NO_BASELINES}
        stopped = run(tmp_path, max_tokens=10, **fields)
        assert list(statuses(stopped).values()) == ["stopped", "waiting"]
        states = list(stopped.results.states.values())
        assert all("the sweep's max_tokens 10 is reached" in state.reason for state in states)
        assert len(server.requests) == 1
        whole = run(tmp_path, resume=True, max_tokens=1_000_000, **fields)
        assert list(statuses(whole).values()) == ["finished", "finished"]
        assert len(server.requests) == 4
    with Store.open(tmp_path / "runs") as store:
        assert len(store.list_runs()) == 2
        found = find_sweep(store, "night")
        assert found is not None and found.plan["max_tokens"] == 1_000_000


SUM = "def compute_reward(action):\n    t = xp.sum(action, axis=-1)\n    return t, {'t': t}\n"


def probing(task: Task) -> Callable[[str], ProbeJob]:
    def job(folder: str) -> ProbeJob:
        return ProbeJob(
            task=str(task.folder), programs=[SUM], folder=folder, seed=0, time_limit=60.0
        )

    return job


def test_workers_are_shared_between_runs_and_end_with_the_machine():
    pole, arm = load_task("cartpole-swingup"), load_task("reacher-reach")
    config = RunConfig(task=pole.name)
    machine = Machine(1, local_pool)
    with (
        machine.pool("a")(pole.folder, config, 1) as one,
        machine.pool("b")(pole.folder, config, 1) as two,
        machine.pool("c")(arm.folder, config, 1) as other,
    ):
        assert isinstance(one.run(probing(pole)), ProbeResult)
        assert isinstance(two.run(probing(pole)), ProbeResult)
        assert machine.alive == 1  # the second run had the first one's worker
        assert isinstance(other.run(probing(arm)), ProbeResult)
        assert machine.alive == 2
        roots = [worker.root for _, worker in machine.idle]
        two.close()
        with pytest.raises(StoppedError):
            two.run(probing(pole))
        assert isinstance(one.run(probing(pole)), ProbeResult)  # that was another run's end
    machine.close()
    assert machine.alive == 0
    assert [root.exists() for root in roots] == [False, False]
