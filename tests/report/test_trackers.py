"""Trackers that are told of runs, offline, and what they then hold."""

import json
import os
import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from reward_synth import api
from reward_synth.errors import UserError
from reward_synth.report.trackers import check_trackers, following, interface, tracked
from reward_synth.report.trackers.interface import About, Point
from reward_synth.search import Progress
from reward_synth.store import Store
from reward_synth.store.fates import fitness_values

SECRET = "sk-a-key-that-nobody-may-see"


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(following, "LEAST_SECONDS", 0.0)
    settings = {
        "WANDB_MODE": "offline",
        "WANDB_ERROR_REPORTING": "false",
        "MLFLOW_TRACKING_URI": f"file:{tmp_path / 'mlruns'}",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        **{f"WANDB_{kind}_DIR": str(tmp_path / kind) for kind in ("CACHE", "CONFIG", "DATA")},
        "SOME_API_KEY": SECRET,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def follow(store: Store, run: str, *trackers: str, events: Sequence[str] = ("scored",)) -> None:
    """Have a recorded run told to trackers, as if it were under way."""
    with tracked(store, trackers, lambda event: None) as observer:
        observer(Progress("started", run))
        for kind in events:
            observer(Progress(kind, run))  # pyright: ignore[reportArgumentType]


# --- mlflow ----------------------------------------------------------------------------------


def test_mlflow_holds_curves_scores_generations_and_the_winner(store: Store, searched: str):
    from mlflow import MlflowClient

    folder = store.run_folder(searched)
    (folder / "report.html").write_text(f"<p>{SECRET}</p>")
    for _ in range(2):  # a resumption goes on in the same run, and tells nothing twice
        follow(store, searched, "mlflow")
    client = MlflowClient()
    known = client.get_experiment_by_name("reward-synth")
    assert known is not None
    [run] = client.search_runs([known.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["samples"] == str(store.get_run(searched).config["samples"])

    evaluation = store.candidates(searched)[7].evaluations[0]
    name = f"training-0007-seed-{evaluation.seed}"
    upright = client.get_metric_history(run.info.run_id, f"{name}/components/upright")
    written = evaluation.report["checkpoints"]
    assert [(m.step, m.value) for m in upright] == [
        (point["step"], point["components"]["upright"]["mean"]) for point in written
    ]
    assert len(client.get_metric_history(run.info.run_id, f"{name}/rollout/fitness")) == 9

    trained = [e for c in store.candidates(searched) for e in c.evaluations]
    scores = client.get_metric_history(run.info.run_id, "candidates/fitness")
    assert sorted(m.value for m in scores) == sorted(fitness_values(trained))
    best = client.get_metric_history(run.info.run_id, "generations/best_fitness_so_far")
    generations = {c.generation for c in store.candidates(searched)}
    assert [m.step for m in best] == sorted(generations)
    assert best[-1].value == pytest.approx(0.86)
    tokens = client.get_metric_history(run.info.run_id, "generations/prompt_tokens")
    completions = store.get_run(searched).completions
    assert tokens[-1].value == sum(c.prompt_tokens for c in completions)

    kept = {a.path for a in client.list_artifacts(run.info.run_id)}
    assert kept == {"reward.py", "best.json", "policy.safetensors", "report.html"}
    page = client.download_artifacts(run.info.run_id, "report.html")
    assert Path(page).read_text() == "<p><SOME_API_KEY></p>"
    assert not holding(SECRET, Path(os.environ["MLFLOW_TRACKING_URI"].removeprefix("file:")))


def holding(text: str, folder: Path) -> list[Path]:
    """Files that hold a text."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if text.encode() in path.read_bytes()]


def test_a_resumed_run_goes_on_in_the_tracked_one(tmp_path: Path):
    """Interrupted after its first training; the tracker is remembered."""
    from mlflow import MlflowClient

    def stop(event: Progress) -> None:
        if event.kind == "scored":
            raise KeyboardInterrupt

    settings: dict[str, Any] = {"steps": 512, "workers": 1, "trackers": ["mlflow"]}
    with pytest.raises(KeyboardInterrupt):
        api.train(
            "cartpole-swingup",
            "expert",
            seeds=(1, 2),
            runs_dir=tmp_path / "runs",
            observer=stop,
            **settings,
        )
    client = MlflowClient()
    known = client.get_experiment_by_name("reward-synth")
    assert known is not None
    [before] = client.search_runs([known.experiment_id])
    assert before.info.status == "KILLED"
    finished = api.resume(before.info.run_name or "", runs_dir=tmp_path / "runs")
    [after] = client.search_runs([known.experiment_id])
    assert (after.info.run_id, after.info.status) == (before.info.run_id, "FINISHED")
    assert after.data.metrics["result/fitness"] == pytest.approx(finished.result["fitness"])
    scores = client.get_metric_history(after.info.run_id, "candidates/fitness")
    assert [m.value for m in scores] == pytest.approx(finished.result["fitness_per_seed"])
    assert "report.html" in {a.path for a in client.list_artifacts(after.info.run_id)}


# --- wandb -----------------------------------------------------------------------------------


BLOCK, HEADER = 32768, 7


def chunks(data: bytes) -> Iterator[bytes]:
    """The records of an offline run's file: LevelDB's log format, after a header of wandb's own."""
    at, record = HEADER, b""
    while at < len(data):
        if BLOCK - at % BLOCK < HEADER:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        record += data[at + HEADER : at + HEADER + length]
        at += HEADER + length
        if kind in (1, 4):  # whole, or the last part
            yield record
            record = b""


def records(folder: Path) -> Iterator[Any]:
    """What the offline runs of wandb in a folder hold, oldest first."""
    from wandb.proto import wandb_internal_pb2

    for path in sorted(folder.rglob("*.wandb")):
        for chunk in chunks(path.read_bytes()):
            record = wandb_internal_pb2.Record()  # pyright: ignore[reportAttributeAccessIssue]
            record.ParseFromString(chunk)
            yield record


def test_wandb_holds_curves_scores_generations_and_the_winner(
    store: Store, searched: str, tmp_path: Path
):
    folder = store.run_folder(searched)
    (folder / "report.html").write_text(f"<p>{SECRET}</p>")
    for _ in range(2):
        follow(store, searched, "wandb")
    told = list(records(folder / "wandb"))
    opened = {record.run.run_id for record in told if record.HasField("run")}
    assert opened == {following.identity(store.get_run(searched))}
    rows = [
        {
            item.key or "/".join(item.nested_key): json.loads(item.value_json)
            for item in record.history.item
        }
        for record in told
        if record.HasField("history")
    ]
    evaluation = store.candidates(searched)[7].evaluations[0]
    name = f"training_0007_seed_{evaluation.seed}"
    upright = [
        (row[f"{name}/step"], row[f"{name}/components/upright"])
        for row in rows
        if f"{name}/step" in row
    ]
    assert upright == [
        (point["step"], point["components"]["upright"]["mean"])
        for point in evaluation.report["checkpoints"]
    ]
    scores = [row["candidates/fitness"] for row in rows if "candidates/fitness" in row]
    trained = [e for c in store.candidates(searched) for e in c.evaluations]
    assert sorted(scores) == sorted(fitness_values(trained))
    best = [r["generations/best_fitness_so_far"] for r in rows if "generation" in r]
    assert best[-1] == pytest.approx(0.86)
    summary = {
        item.key: item.value_json
        for record in told
        if record.HasField("summary")
        for item in record.summary.update
    }
    assert summary["status"] == '"finished"'
    assert any(
        record.HasField("artifact") or record.request.HasField("log_artifact") for record in told
    )
    assert not [path for place in (folder / "wandb", tmp_path) for path in holding(SECRET, place)]


# --- any -------------------------------------------------------------------------------------


class Broken:
    """A tracker that cannot be reached."""

    begun = 0

    def begin(self, about: About) -> None:
        Broken.begun += 1
        raise ConnectionError(f"no route to https://me:{SECRET}@tracker.example")

    def training(self, name: str, number: int, fitness: float, curve: Sequence[Point]) -> None:
        raise AssertionError

    def generation(self, number: int, values: Mapping[str, float]) -> None:
        raise AssertionError

    def end(self, status: str, result: Mapping[str, float], files: Sequence[Path]) -> None:
        raise AssertionError


def test_a_tracker_that_fails_is_warned_of_once(
    store: Store, searched: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(following, "makers", lambda: {"mlflow": Broken})
    follow(store, searched, "mlflow", events=["scored"] * 5)
    [warning] = [record.getMessage() for record in caplog.records]
    assert warning.startswith("--tracker mlflow failed (ConnectionError: no route")
    assert warning.endswith("the run goes on without it")
    assert SECRET not in warning
    assert Broken.begun == 1
    # The other trackers are told all the same.
    assert (store.run_folder(searched) / "tensorboard" / "0007").is_dir()


def test_tensorboard_is_told_while_the_run_goes_on(store: Store, searched: str):
    """As soon as a training is scored, not with the report."""
    seen = threading.Event()
    folder = store.run_folder(searched) / "tensorboard"
    with tracked(store, (), lambda event: None) as observer:
        observer(Progress("started", searched))
        observer(Progress("scored", searched, candidate=0))
        for _ in range(600):
            if folder.is_dir() and len(list(folder.glob("0*"))) == 14:
                seen.set()
                break
            time.sleep(0.1)
        assert seen.is_set()


def test_the_last_generation_counts_when_the_run_is_over(store: Store, searched: str):
    run = store.get_run(searched)
    last = max(c.generation for c in run.candidates)
    assert following.finished_generations(run)[-1] == last
    run.status = "running"
    assert last not in following.finished_generations(run)
    values = following.generation_values(run, 0)
    own = [c for c in run.candidates if c.generation == 0]
    assert values["candidates"] == len(own)
    assert values["refused"] == sum(c.status == "refused" for c in own) > 0


def test_what_is_missing_is_said_before_a_run_begins(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(UserError, match="there is no key for it; run `wandb login`"):
        check_trackers(["wandb"])
    monkeypatch.setattr(interface.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'reward-synth\[mlflow\]'"):
        check_trackers(["mlflow"])
