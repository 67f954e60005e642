"""The third wall alone: whatever a worker says or leaves, the score is what its policy does here.

The worker is a process that nothing confines and that lies (``liar.py``), in the real worker's
place.  Each lie is caught, with a reason, or without effect; the member beside the one that it is
told of keeps its score, and the job after it is done as if nothing had been.
"""

import functools
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from reward_synth.cli.main import status
from reward_synth.evaluation import Layout, Legs, Score, Trained, WorkerPool, dispatch, score_policy
from reward_synth.evaluation import legs as legs_module
from reward_synth.evaluation.dispatch import UNPRINTABLE
from reward_synth.redaction import Secrets
from reward_synth.reward import forms
from reward_synth.search import RunConfig
from reward_synth.search.loop import search
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.simulation.policy import Policy, save_policy
from reward_synth.store import Store
from reward_synth.task import load_task
from sandbox import messages
from sandbox.confinement import WorkerProcess
from sandbox.messages import Checkpoint, Failure, Member, TrainJob, TrainResult
from tests.attacks.liar import CALLS_FOR, HUGE, LIES
from tests.servers import CompletionServer

TASK = load_task("cartpole-swingup")
LIAR = Path(__file__).with_name("liar.py")
EPISODES = 1
STEPS = 1024
SOUND = "honest"
MEMORY = 300 * 2**20
"""Bytes that a lie may take here: some lines of the longest, read ahead and as Python's objects."""
AHEAD = "files_for_the_next_job"


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound policy, which is all that the liar ever hands over."""
    simulator = MujocoSimulator(TASK, 1)
    observations, actions = simulator.observation_size, simulator.action_size
    simulator.close()
    weight = 0.5 * np.random.default_rng(1).normal(size=(actions, observations))
    path = tmp_path_factory.mktemp("sound") / "policy.safetensors"
    sound = Policy(np.zeros(observations), np.ones(observations), (weight,), (np.zeros(actions),))
    save_policy(path, sound)
    return path


@pytest.fixture(scope="module")
def truth(policy: Path) -> Score:
    return score_policy(TASK, policy, EPISODES)


def start_liar(policy: Path, told: str, _task: Path, folder: Path, *_: object) -> WorkerProcess:
    """In the place of ``sandbox.confinement.start_worker``; it is not confined."""
    jobs = folder.resolve() / "jobs"
    jobs.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(LIAR), str(policy), *([told] if told else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=jobs,
    )
    return cast(WorkerProcess, process)


@pytest.fixture
def lying(policy: Path, monkeypatch: pytest.MonkeyPatch):
    """Workers lie from now on: in every training if a lie is named, else where a member asks."""

    def lie(told: str = "") -> None:
        monkeypatch.setattr(dispatch, "start_worker", functools.partial(start_liar, policy, told))

    lie()
    return lie


@pytest.fixture(scope="module")
def pool(policy: Path) -> Iterator[WorkerPool]:
    """One liar for all, which is replaced when it has to be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "start_worker", functools.partial(start_liar, policy, ""))
        with WorkerPool(TASK.folder, 1) as pool:
            yield pool


def train(pool: WorkerPool, *programs: str, **listeners: Any) -> dict[str, Trained | Failure]:
    """The outcomes of members m0, m1, … in one job, after which another one is done as ever."""
    members = [Member(name=f"m{k}", program=p, seed=k) for k, p in enumerate(programs)]

    def next_job(folder: str) -> TrainJob:
        honest = Member(name="next", program=SOUND, seed=0)
        return TrainJob(task=str(TASK.folder), members=[honest], folder=folder, steps=STEPS)

    with Legs(TASK, pool, Layout(1, 1, 8), steps=STEPS, **listeners) as run:
        found = run.advance(members, STEPS, episodes=EPISODES)
        assert isinstance(pool.run(next_job), TrainResult)
        lied = found["m0"]
        if isinstance(lied, Trained):  # and what was scored has not changed meanwhile
            assert score_policy(TASK, lied.policy, EPISODES) == lied.score
    return found


def resident() -> int:
    """Bytes of memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def frugal() -> Iterator[None]:
    """What a test does takes little memory at any time."""
    before, most, over = resident(), [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            most[0] = max(most[0], resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield
    over.set()
    watcher.join()
    assert most[0] - before < MEMORY


@pytest.mark.usefixtures("frugal")
@pytest.mark.parametrize("name", [name for name in LIES if name != AHEAD])
def test_a_lie_is_caught_or_without_effect(name: str, pool: WorkerPool, truth: Score):
    expected = LIES[name]
    heard: list[Checkpoint] = []
    found = train(pool, CALLS_FOR + name, SOUND, on_checkpoint=heard.append)
    lied, beside = found["m0"], found["m1"]
    assert isinstance(beside, Trained) and beside.score == truth
    if expected.reason is None:
        assert isinstance(lied, Trained) and lied.score == truth
        assert lied.report.seed == 0
    else:
        assert isinstance(lied, Failure)
        assert lied.reason == expected.reason
        assert re.search(expected.message, lied.message, re.DOTALL), lied.message
        assert not UNPRINTABLE.search(lied.message) and "\n" not in lied.message
    assert {checkpoint.member for checkpoint in heard} <= {"m0", "m1"}
    assert list(pool.all[0].jobs.glob("*/*")) == [], "what it left is gone"


def test_links_in_the_place_of_the_next_job_s_files_are_not_followed(
    pool: WorkerPool, policy: Path
):
    """A member's state is written where its next job will look for it, not through a link."""
    before = policy.read_bytes()
    members = [Member(name="m0", program=CALLS_FOR + AHEAD, seed=0)]
    with Legs(TASK, pool, Layout(1, 1, 8), steps=STEPS) as run:
        for until in (STEPS // 4, STEPS // 2, STEPS):
            assert isinstance(run.advance(members, until, episodes=EPISODES)["m0"], Trained)
    assert policy.read_bytes() == before


@pytest.mark.parametrize(
    ("said", "reason"),
    [(b"", "killed"), (b"\n", "killed"), (b'{"kind": "alive"}\n', "time"), (b">{}\n", "protocol")],
    ids=["nothing", "blank lines", "alive", "no event"],
)
def test_a_worker_that_never_ends_a_job_is_given_up(
    said: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
):
    """Nor one that does not even read a job that is longer than a pipe."""
    script = (
        'import os, time\nos.write(1, b\'{"kind": "ready"}\\n\')\n'
        f"while True:\n    os.write(1, {said!r})\n    time.sleep(0.05)\n"
    )

    def start(*_: object) -> WorkerProcess:
        process = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return cast(WorkerProcess, process)

    monkeypatch.setattr(dispatch, "start_worker", start)
    monkeypatch.setattr(dispatch, "SILENCE_SECONDS", 0.4)
    monkeypatch.setattr(dispatch, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(legs_module, "LEAST_TIME_LIMIT", 1.0 if reason == "time" else 60.0)
    monkeypatch.setattr(legs_module, "SLOWEST_STEPS_PER_SECOND", STEPS)
    began = time.monotonic()
    with WorkerPool(TASK.folder, 1) as pool:
        member = Member(name="m0", program="x" * 2**20, seed=0)
        with Legs(TASK, pool, Layout(1, 1, 1), steps=STEPS) as run:
            outcome = run.advance([member], STEPS, episodes=EPISODES)["m0"]
    assert isinstance(outcome, Failure) and outcome.reason == reason
    assert time.monotonic() - began < 30.0


def test_names_of_components_are_those_of_the_language():
    assert messages.LONGEST_COMPONENT_NAME == forms.LONGEST_COMPONENT_NAME
    assert messages.MOST_COMPONENTS == forms.MOST_COMPONENTS


# --- a whole search --------------------------------------------------------------------------

SMALL = (
    "--samples", 2, "--iterations", 2, "--steps", STEPS, "--workers", 1, "--no-prune",
)  # fmt: skip


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Runs a command in this process; gives what it wrote on stdout and on stderr."""
    monkeypatch.setenv("COLUMNS", "200")  # however wide who runs the tests is

    def run(*arguments: object) -> tuple[str, str]:
        assert status([str(argument) for argument in arguments], Secrets.known({})) == 0
        told = capsys.readouterr()
        return told.out, told.err

    return run


def test_a_search_with_lying_workers_stores_the_scores_that_it_measured(lying, tmp_path: Path):
    lying("huge_fitness")
    config = RunConfig(
        task="cartpole-swingup",
        samples=3,
        iterations=2,
        steps=STEPS,
        finalists=1,
        evaluation_episodes=EPISODES,
        workers=1,
    )
    with Store.open(tmp_path) as store:
        run = store.get_run(search(config, store=store, observer=lambda event: None))
        folder = store.run_folder(run.id)
    trained = [e for c in run.candidates for e in c.evaluations]
    assert {e.purpose for e in trained} == {"search", "confirm"}
    assert HUGE in {c["fitness"] for e in trained for c in e.report["checkpoints"]}
    for evaluation in trained:
        stored = Score.model_validate(evaluation.score)
        assert stored == score_policy(TASK, folder / evaluation.policy, len(stored.episodes))
        assert stored.fitness is not None
        assert evaluation.fitness == stored.fitness < 1.0
    best = json.loads((folder / "best" / "best.json").read_text())
    assert run.result is not None
    assert run.result["fitness"] == best["fitness"] == pytest.approx(trained[0].fitness)


def test_hostile_words_are_cleaned_on_every_way(lying, command, tmp_path: Path):
    """Into the database, the terminal, the page and the next prompt."""
    program = (
        "```python\n{}def compute_reward(pole_up):\n    return pole_up, {{'up': pole_up}}\n```"
    )
    sound, refused = program.format(""), program.format(CALLS_FOR + "refusal\n")
    fails = program.format(CALLS_FOR + "hostile_message\n")
    lying("hostile_note")
    with CompletionServer([refused, sound, sound, fails, sound, sound]) as server:
        model = ("--model", "test", "--base-url", server.base_url)
        options = ("--runs-dir", tmp_path)
        printed = command("run", "cartpole-swingup", *SMALL, *model, *options)
        prompts = "\n".join(json.dumps(request, ensure_ascii=False) for request in server.requests)
    with Store.open(tmp_path) as store:
        [run] = store.list_runs()
        folder = store.run_folder(run.id)
    printed += command("show", run.id, *options) + command("show", run.id, "--json", *options)
    for text in printed:
        assert not UNPRINTABLE.search(text)
        assert not re.search("^(# system|error:)", text, re.MULTILINE)
    assert "<script>alert(1)" in printed[2], "it is told, as text"

    with sqlite3.connect(tmp_path / "reward_synth.db") as database:
        stored = "\n".join(database.iterdump())
    assert "<script>alert(1)" in stored
    assert not UNPRINTABLE.search(stored)

    page = (folder / "report.html").read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page and "<b>{{" not in page
    assert not UNPRINTABLE.search(page.partition("<script>")[0]), "before plotly's own"

    asked = [m["content"] for request in server.requests for m in request["messages"]]
    repairs = [text for text in asked if "alert(1)" in text]
    assert repairs and len(prompts) < 200_000
    for text in repairs:
        assert "{{ 7 * 7 }}" in text and not UNPRINTABLE.search(text)
        assert not re.search("^# system", text, re.MULTILINE)
