"""From a sweep's file to its runs, and what is said of files that are wrong."""

from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.search import RunConfig
from reward_synth.sweep.checks import read_plan
from reward_synth.sweep.plan import plan_of
from tests.servers import CompletionServer
from tests.sweep.small_sweeps import plan


def write(folder: Path, text: str) -> Path:
    path = folder / "night.yaml"
    path.write_text(text)
    return path


def test_a_grid_is_every_combination(tmp_path: Path):
    grid = {"task": ["cartpole-swingup"], "samples": [2, 4], "seed": [0, 7]}
    asked = plan(tmp_path, grid=grid, settings={"steps": 512})
    searches = [c for c in asked.cells if c.kind == "search"]
    configs = [c.config for c in searches if isinstance(c.config, RunConfig)]
    assert [c.label for c in searches] == [
        "cartpole-swingup · offline · samples 2 · seed 0",
        "cartpole-swingup · offline · samples 2 · seed 7",
        "cartpole-swingup · offline · samples 4 · seed 0",
        "cartpole-swingup · offline · samples 4 · seed 7",
    ]
    assert [(config.samples, config.seed) for config in configs] == [(2, 0), (2, 7), (4, 0), (4, 7)]
    assert {c.method for c in searches} == {"offline · samples 2", "offline · samples 4"}
    assert asked.name == "night"


def test_baselines_are_trained_once_for_a_budget_that_the_task_does_not_know(tmp_path: Path):
    grid = {"task": ["cartpole-swingup", "reacher-reach"], "seed": [0, 1]}
    labels = [c.label for c in plan(tmp_path, grid=grid).cells if c.kind == "train"]
    assert labels == [
        f"{task} · {reward} reward" for task in grid["task"] for reward in ("expert", "sparse")
    ]
    own_budget = {"grid": {"task": ["cartpole-swingup"]}, "settings": {}}
    assert [c.kind for c in plan(tmp_path, **own_budget).cells] == ["search"]
    assert len(plan(tmp_path, baselines=False).cells) == 1


def test_runs_that_belong_together_are_multiplied_with_the_grid(tmp_path: Path):
    with CompletionServer(["no answer"]) as server:
        path = write(
            tmp_path,
            f"""
settings: {{iterations: 1, samples: 1}}
runs:
  - strategy: offline
  - {{strategy: card, model: small@{server.base_url}, samples: 3}}
grid:
  task: [reacher-reach]
  seed: [1, 2]
""",
        )
        cells = [c for c in read_plan(path).cells if c.kind == "search"]
        assert server.requests == []
    configs = [c.config for c in cells if isinstance(c.config, RunConfig)]
    assert [(config.strategy, config.samples, config.seed) for config in configs] == [
        ("offline", 1, 1),
        ("offline", 1, 2),
        ("card", 3, 1),
        ("card", 3, 2),
    ]
    assert cells[3].label == "reacher-reach · card · small · samples 3 · seed 2"


def test_paths_start_from_the_file(tmp_path: Path):
    (tmp_path / "mine.py").write_text("def compute_reward(a):\n    return a, {'a': a}\n")
    recording = Path(__file__).parents[2] / "examples/recordings/cheetah-run-card.jsonl"
    (tmp_path / "told.jsonl").symlink_to(recording)
    text = "settings: {task: cheetah-run, start: mine.py, model: 'replay:told.jsonl'}\n"
    [cell] = [c for c in read_plan(write(tmp_path, text)).cells if c.kind == "search"]
    assert isinstance(cell.config, RunConfig)
    assert cell.config.start == (tmp_path / "mine.py").read_text()
    assert cell.config.model == f"replay:{tmp_path / 'told.jsonl'}"


def test_a_run_is_the_same_one_whatever_its_limits_are(tmp_path: Path):
    grid = {"task": ["cartpole-swingup"], "seed": [0]}
    settings = {"steps": 512}
    first = plan(tmp_path, grid=grid, settings=settings)
    more = plan(tmp_path, grid=grid, settings={**settings, "max_hours": 2, "isolation": "process"})
    other = plan(tmp_path, grid=grid, settings={"steps": 1024})
    assert [c.key for c in first.cells] == [c.key for c in more.cells]
    assert not {c.key for c in first.cells} & {c.key for c in other.cells}


def test_a_plan_is_recorded_without_passwords_and_read_again(tmp_path: Path):
    settings = {"model": "m", "base_url": "http://me:secret@127.0.0.1:9/v1"}
    asked = plan(tmp_path, settings=settings, max_tokens=1000)
    assert "secret" not in str(asked.document())
    again = plan_of("night", asked.document())
    assert [c.key for c in again.cells] == [c.key for c in asked.cells]
    assert (again.max_tokens, again.workers) == (1000, 1)


WRONG = {
    "": "is empty",
    "# nothing\n": "is empty",
    "a: [b\n": r"line 2 is not YAML: expected",
    "- a\n- b\n": "line 1: a sweep is a mapping",
    "a: &x\n  b: *x\n": r"line \d: this refers to itself",
    "grid:\n  task: [reacher-reach]\nworkrs: 2\n": "line 3: unknown field 'workrs'; did you mean "
    "'workers'",
    "settings:\n  stepz: 3\n": "line 2: unknown field 'stepz'; did you mean 'steps'",
    "grid:\n  task: [reacher-reach]\n  zeed: [1]\n": "line 3: unknown field 'zeed'",
    "grid:\n  task: reacher-reach\n": r"line 2: .*valid list .*write \[reacher-reach\]",
    "grid:\n  task: [reacher-reach]\n  seed: []\n": "line 3: seed has no value",
    "grid:\n  seed: [0]\n": "no task is named",
    "settings: {}\n": "no task is named",
    "grid:\n  task:\n  - reacher-reach\n  - raecher-reach\n": "line 4: .*did you mean "
    "reacher-reach",
    "grid:\n  task: [reacher-reach]\n  samples: [2, many]\n": "line 3: samples: .*integer",
    "settings:\n  samples: 0\n  task: reacher-reach\n": "line 2: samples: .*greater than",
    "settings: {task: reacher-reach}\ngrid:\n  strategy: [offline, eurika]\n": "line 3: strategy: "
    ".*did you mean eureka",
    "settings: {task: reacher-reach, strategy: card}\n": "strategy card needs a language model: "
    "name one with model",
    "settings: {task: reacher-reach, model: gpt}\n": "names no provider",
    "settings: {task: reacher-reach, model: 'replay:no.jsonl'}\n": "cannot read recording",
    "settings: {task: reacher-reach, model: manual}\n": "waits for a person",
    "settings:\n  task: reacher-reach\n  feedback: true\n": "line 3: .*waits for a person",
    "settings: {task: reacher-reach, record: a.jsonl}\n": "many runs would write",
    "settings: {task: reacher-reach, workers: 2}\n": "write workers once",
    "settings: {task: reacher-reach, seed: 1}\ngrid:\n  seed: [0, 1]\n": "seed stands in settings "
    "and in grid",
    "runs: [{seed: 1}]\ngrid:\n  task: [reacher-reach]\n  seed: [0, 1]\n": "seed stands in "
    "runs and in grid",
    "grid:\n  task: [reacher-reach]\n  seed: [1, 1]\n": "the same run is asked for twice",
    "grid:\n  task: [reacher-reach]\n  task: [ant-forward]\n": "'task' stands here a second time",
    "grid:\n  task: [reacher-reach]\n  seed: [0, 100]\n": r"seed 100, which is one of "
    "confirmation_seeds",
    "settings: {task: reacher-reach, trainer: sb3, environments: 4}\n": "environments are the "
    "population trainer's",
    "settings: {task: reacher-reach, overlap: true}\n": "overlap needs a language model",
    "settings: {task: reacher-reach}\nmax_cost: 5\n": "line 2: max_cost "
    "limits what language models",
    "settings: {task: reacher-reach, max_tokens: 5}\n": "max_tokens limits what a language model",
    "settings: {task: reacher-reach, model: 'm@http://127.0.0.1:9/v1'}\nmax_cost: 5\n": "line 2: "
    "model .*has no known price",
    "name: ../x\nsettings: {task: reacher-reach}\n": "line 1: name: .*match pattern",
    "settings: {task: 5}\n": "line 1: task: .*valid string",
    "at_once: -1\nsettings: {task: reacher-reach}\n": "line 1: at_once: .*greater than",
}


@pytest.mark.parametrize(("text", "said"), WRONG.items(), ids=range(len(WRONG)))
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, said: str):
    path = write(tmp_path, text)
    with pytest.raises(UserError, match=said) as refused:
        read_plan(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_files_that_cannot_be_read_are_told_of(tmp_path: Path):
    (tmp_path / "latin.yaml").write_bytes("name: Zürich".encode("latin-1"))
    (tmp_path / "bell.yaml").write_bytes(b"name: \x07")
    for name, said in {
        "none.yaml": "No such file",
        "latin.yaml": "not UTF-8",
        "bell.yaml": "not YAML",
        ".": "Is a directory",
    }.items():
        with pytest.raises(UserError, match=said):
            read_plan(tmp_path / name)


def test_a_file_whose_name_is_no_folder_needs_a_name(tmp_path: Path):
    path = tmp_path / "my sweep.yaml"
    path.write_text("settings: {task: reacher-reach}\n")
    with pytest.raises(UserError, match="cannot name a folder"):
        read_plan(path)


def test_more_runs_than_anybody_wants_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match="1,000,000 runs are more than 10,000"):
        grid = {"seed": list(range(1000)), "repairs": list(range(1000))}
        plan(tmp_path, grid=grid)
