"""The benchmark of sweeps."""

from pathlib import Path

from benchmarks import sweep
from reward_synth.sweep.checks import read_plan
from reward_synth.task import load_task


def test_the_model_answers_a_prompt_alike_and_with_programs_for_its_task():
    server = sweep.SameServer(seconds=0.0)
    answers = {}
    for task in sweep.TASKS:
        said = f"The task: {load_task(task).description} Go on."
        request = {"model": "small", "n": 3, "messages": [{"role": "user", "content": said}]}
        answers[task] = server.texts(request)
        assert server.texts(request) == answers[task]
        assert len(set(answers[task])) == 3
    assert len({text for own in answers.values() for text in own}) == 9


def test_the_sweep_is_three_tasks_two_strategies_and_two_seeds(tmp_path: Path):
    model = "small@http://127.0.0.1:9/v1"
    cells = read_plan(sweep.file_of(tmp_path, model, sweep.STEPS, sweep.SEEDS)).cells
    searches = [cell for cell in cells if cell.kind == "search"]
    assert len(searches) == 12 and len(cells) == 18
    assert {cell.method for cell in searches} == {"offline", "eureka · small"}
