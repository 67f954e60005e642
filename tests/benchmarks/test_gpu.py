"""The benchmark of the GPU, as far as it goes without one."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import gpu
from reward_synth.task import load_task


def test_a_search_is_computed_from_its_parts():
    # One million steps a second whatever is left; no other cost.
    found = gpu.eureka_search({16: 1e6, 8: 1e6, 4: 1e6, 2: 1e6}, 0.0, float("inf"), 1000)
    # 16 × 1/8 + 8 × 1/8 + 4 × 1/4 + 2 × 1/2 = 5 whole trainings of 16.
    assert found["share_of_steps"] == 0.3125
    assert found["seconds"] == 5 * 5 * 10.0
    assert found["seconds_unpruned"] == 5 * 16 * 10.0
    assert found["computed"] is True


def test_legs_and_scores_take_time_too():
    found = gpu.eureka_search({16: 1e6, 2: 0.5e6}, 3.0, 1000.0, 100)
    # The last 2 train at half the speed, and so do 8 and 4, whose speed nobody measured.
    assert found["seconds_of"]["training"] == 5 * (20.0 + 20.0 + 20.0 + 20.0)
    assert found["seconds_of"]["legs"] == 5 * 4 * 3.0
    assert found["seconds_of"]["scoring"] == 5 * ((16 + 8 + 4) * 8 + 2 * 32) * 100 / 1000


def test_contenders_run_on_the_processor():
    task = load_task("cartpole-swingup")
    assert gpu.bare(task, 3, gpu.TOY)(2) > 0.0
    assert gpu.simulator(task, 3, gpu.TOY)(2) > 0.0
    leg = gpu.Leg(task, gpu.TOY, environments=2)
    assert leg.speed(members=2, rollouts=1) > 0.0
    assert leg.environments_had == 2
    assert leg.besides > 0.0
    assert gpu.scoring_speed(task, control_steps=2) > 0.0


def test_without_cuda_it_says_so(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    path = tmp_path / "gpu.json"
    gpu.main(["--json", str(path)])
    told = capsys.readouterr().out
    assert told.startswith("there is no CUDA device here")
    assert told.count("\n") == 1
    document = json.loads(path.read_text())
    assert document["cuda"] is False
    assert "processor" in document["machine"]


def test_another_device_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        gpu.main(["--device", "tpu"])
    assert ended.value.code == 2
    assert "give cuda, cuda:K or warp-cpu" in capsys.readouterr().err
