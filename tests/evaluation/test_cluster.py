"""Trainings on a Ray cluster of two nodes on this machine, against those of the local engine."""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reward_synth import api
from reward_synth.errors import UserError
from reward_synth.evaluation import Layout, Legs, Trained, WorkerPool
from reward_synth.evaluation.cluster import ClusterPool, connection, pool, shipping
from reward_synth.evaluation.cluster.keeper import take
from reward_synth.evaluation.pool import Pool
from reward_synth.search import Progress
from reward_synth.task import load_task, reward_source
from sandbox.messages import (
    Checkpoint,
    Failure,
    Member,
    MemberResult,
    Outcome,
    ProbeJob,
    TrainingReport,
    TrainJob,
    TrainResult,
)

TASK = load_task("cartpole-swingup")
EXPERT = reward_source(TASK, "expert")
ROLLOUT = TASK.ppo.environments * TASK.ppo.rollout_steps
STEPS = 6 * ROLLOUT
EPISODES = 2
TWO = [Member(name=f"m{seed}", program=EXPERT, seed=seed) for seed in range(2)]
NODE: dict[str, Any] = {"num_cpus": 1, "memory": 3 * 2**30, "object_store_memory": 80_000_000}
"""Room for one job."""
SECRET = "sk-which-nobody-may-see"


class TwoNodes:
    """Two raylets on this machine."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.ray = Cluster(
            initialize_head=True, head_node_args={**NODE, "include_dashboard": False}
        )
        self.second = self.ray.add_node(**NODE)
        assert self.ray.head_node is not None
        self.session = self.ray.head_node.get_session_dir_path()

    @property
    def address(self) -> str:
        return str(self.ray.address)

    def lose_second(self) -> None:
        self.ray.remove_node(self.second, allow_graceful=False)

    def processes(self) -> list[str]:
        """Command lines of what still runs for this cluster."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if Path(self.session).name in line or line.startswith("ray::Keeper"):
                found.append(line)
        return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    import ray

    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",
        "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache")),
        "SOME_API_KEY": SECRET,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        nodes = TwoNodes()
        try:
            yield nodes
        finally:
            ray.shutdown()
            nodes.ray.shutdown()
        for _ in range(100):
            if not nodes.processes():
                break
            time.sleep(0.1)
        assert nodes.processes() == []


def train(pool: Pool, **listeners: Any) -> dict[str, tuple[bytes, object]]:
    """Policies and scores of two members that were trained in two legs, in a job each."""
    with Legs(TASK, pool, Layout(2, 2, 1), steps=STEPS, **listeners) as legs:
        legs.advance(TWO, 2 * ROLLOUT, episodes=EPISODES)
        outcomes = legs.advance(TWO, STEPS, episodes=EPISODES)
        found = {}
        for name, outcome in outcomes.items():
            assert isinstance(outcome, Trained), outcome
            found[name] = outcome.policy.read_bytes(), outcome.score
        return found


@pytest.fixture(scope="module")
def local() -> dict[str, tuple[bytes, object]]:
    with WorkerPool(TASK.folder, 1, kinds=["train"]) as pool:
        return train(pool)


# --- before jobs are taken -------------------------------------------------------------------


def refused(address: str = "auto", device: str = "cpu") -> str:
    with pytest.raises(UserError) as error:
        connection.join(address, device)
    return str(error.value)


def test_what_cannot_be_joined_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch):
    assert "give HOST:PORT of a cluster that this machine has joined" in refused("ray://here:10001")
    assert "give cuda; each job gets a GPU of its node" in refused(device="cuda:1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{free.getsockname()[1]}"
        assert f"no Ray cluster can be joined at {nobody} (" in refused(nobody)
    monkeypatch.setattr(connection.importlib.util, "find_spec", lambda name: None)
    assert refused().endswith("is not installed: pip install 'reward-synth[ray]'")


def test_a_node_with_other_versions_is_refused(cluster, monkeypatch: pytest.MonkeyPatch):
    here = shipping.installed()
    monkeypatch.setattr(pool, "installed", lambda: {**here, "MuJoCo": "2.0.0"})
    said = f"cannot be used: it has MuJoCo {here['MuJoCo']} instead of 2.0.0; install the same"
    with ClusterPool(TASK.folder, 1, address=cluster.address) as one:
        for _ in range(2):  # whoever asks
            with pytest.raises(UserError, match=said):
                one.run(lambda folder: ProbeJob(task="", programs=[], folder=folder))


def test_a_run_goes_on_with_the_other_engine(cluster, tmp_path: Path):
    """Interrupted after its first training on the cluster; the numbers are the local engine's."""

    def stop(event: Progress) -> None:
        if event.kind == "scored":
            raise KeyboardInterrupt

    what = {"seeds": (1, 2), "steps": 2 * ROLLOUT, "runs_dir": tmp_path}
    there = {"engine": "ray", "ray_address": cluster.address, "workers": 1}
    with pytest.raises(KeyboardInterrupt):
        api.train(TASK.folder, "expert", **what, observer=stop, **there)
    [run] = [path.name for path in tmp_path.iterdir() if path.is_dir()]
    with pytest.raises(UserError, match="nothing may change but where it is made"):
        api.resume(run, runs_dir=tmp_path, max_tokens=5)
    seen: list[Progress] = []
    resumed = api.resume(run, runs_dir=tmp_path, observer=seen.append, engine="local")
    assert [(e.kind, e.seed) for e in seen if e.kind == "scored"] == [("scored", 2)]
    undisturbed = api.train(TASK.folder, "expert", **what, workers=1)
    assert resumed.result["fitness_per_seed"] == undisturbed.result["fitness_per_seed"]


# --- jobs ------------------------------------------------------------------------------------


def run_on_node(cluster: TwoNodes, folder: Path, task: str, job: Any) -> Outcome:
    """The outcome of a job whose task runs Python of its own, as generated code might."""
    folder.mkdir()
    (folder / "task.py").write_text(task)
    with ClusterPool(folder, 1, kinds=[], address=cluster.address) as pool:
        return pool.run(job)


def probe(folder: str) -> ProbeJob:
    return ProbeJob(task="/nowhere/on/the/node", programs=["x"], folder=folder)


CURIOUS = """
import json, os, socket
from pathlib import Path


def reached(attempt):
    try:
        attempt()
    except OSError:
        return False
    return True


raise RuntimeError("SAID" + json.dumps({
    "names": sorted(os.environ),
    "secret": any("sk-" in value for value in os.environ.values()),
    "network": reached(socket.socket),
    "keeper": reached(lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes()),
    "ray": reached(lambda: list(Path("/tmp/ray").iterdir())),
    "store": reached(lambda: list(Path("/dev/shm").iterdir())),
    "home": reached(lambda: list(Path("/root").iterdir())),
    "own": reached(lambda: (Path(__file__).parent / "task.py").read_text()),
}) + "END")
"""


def test_walls_stand_on_a_node_and_nothing_of_ray_gets_in(cluster, tmp_path: Path):
    outcome = run_on_node(cluster, tmp_path / "curious", CURIOUS, probe)
    assert isinstance(outcome, Failure)
    said = json.loads(outcome.message.partition("SAID")[2].partition("END")[0])
    assert said.pop("own"), "its folder came along"
    names = said.pop("names")
    assert said == dict.fromkeys(["secret", "network", "keeper", "ray", "store", "home"], False)
    assert "SOME_API_KEY" in os.environ
    assert not [name for name in names if "RAY" in name or "KEY" in name]
    assert names == sorted(names) and "PATH" in names


FORGER = """
import json, os, stat

report = {"seed": 1, "steps": 1024, "seconds": 0.1, "environments": 8, "trainer": "forged",
          "checkpoints": []}
members = [{"member": "m0", "report": report}, {"member": "m1", "report": report}]
os.mkdir("m0.safetensors")
with open("m1.safetensors", "wb") as file:
    file.write(b"no policy")
said = json.dumps({"kind": "trained", "members": members}).encode()
for descriptor in range(3, 64):
    try:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            os.write(descriptor, b"\\n" + said + b"\\n")
    except OSError:
        pass
os._exit(0)
"""


def test_a_forged_result_is_taken_for_what_its_files_are(cluster, tmp_path: Path):
    def job(folder: str) -> TrainJob:
        return TrainJob(task="", members=TWO, folder=folder, steps=1024)

    outcome = run_on_node(cluster, tmp_path / "forger", FORGER, job)
    assert isinstance(outcome, TrainResult)
    failed, other = outcome.members
    assert failed.failure is not None and failed.report is None
    assert failed.failure.message == "the worker left no plain file m0.safetensors"
    assert other.report is not None and other.report.trainer == "forged"


def test_who_kills_its_worker_has_not_lost_a_node(cluster, tmp_path: Path, caplog):
    outcome = run_on_node(
        cluster, tmp_path / "killer", "import os\nos.kill(os.getpid(), 9)\n", probe
    )
    assert isinstance(outcome, Failure) and outcome.reason == "killed"
    assert outcome.message == "the training process was killed by SIGKILL"
    assert not caplog.records


def test_files_too_large_are_their_members_failure(tmp_path: Path):
    report = TrainingReport(
        seed=0, steps=1, seconds=1, environments=1, trainer="population", checkpoints=[]
    )
    with (tmp_path / "m0.safetensors").open("wb") as file:
        file.truncate(2**30)
    (tmp_path / "m1.safetensors").write_bytes(b"weights")
    (tmp_path / "m2.safetensors").write_bytes(b"unasked")
    said = TrainResult(members=[MemberResult(member=f"m{k}", report=report) for k in range(3)])
    job = TrainJob(task="", members=TWO, folder=str(tmp_path), steps=1)
    assert take(job, said, tmp_path) == {"m1.safetensors": b"weights"}
    failure = said.members[0].failure
    assert failure is not None
    assert failure.message == "the worker left a file m0.safetensors of 1,073,741,824 bytes"


def test_a_task_is_unpacked_once_and_the_same_everywhere(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "own"
    (folder / "meshes").mkdir(parents=True)
    (folder / "task.py").write_text("task = None")
    (folder / "meshes" / "leg.stl").write_bytes(b"\0\1")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "task.pyc").write_bytes(b"stale")
    archive = shipping.packed(folder)
    there = shipping.unpacked(archive, "own")
    found = {str(p.relative_to(there)): p.read_bytes() for p in there.rglob("*") if p.is_file()}
    assert found == {"task.py": b"task = None", "meshes/leg.stl": b"\0\1"}
    assert shipping.unpacked(shipping.packed(there), "own") == there
    (folder / "task.py").write_text("task = 1")
    assert shipping.unpacked(shipping.packed(folder), "own") != there
    monkeypatch.setattr(shipping, "LARGEST_TASK", 9)
    with pytest.raises(UserError, match="too large to be sent"):
        shipping.packed(folder)


# --- on both nodes, one of which is lost at last --------------------------------------------


@pytest.fixture(scope="module")
def two(cluster) -> Iterator[ClusterPool]:
    with ClusterPool(TASK.folder, 9, kinds=["train"], address=cluster.address) as pool:
        assert pool.size == 2, "one job for each node"
        yield pool


def test_policies_scores_and_checkpoints_are_the_local_engines(two, local):
    heard: list[Checkpoint] = []
    assert train(two, on_checkpoint=heard.append) == local
    steps = [checkpoint.step for checkpoint in heard if checkpoint.member == "m0"]
    assert steps == sorted(set(steps)) and steps[-1] == STEPS
    assert not list(two.root.glob("cluster/jobs/*")), "nothing stays here"


def test_a_node_lost_in_the_middle_loses_nothing_and_counts_nothing_twice(
    cluster, two, local, caplog: pytest.LogCaptureFixture
):
    begun: set[str] = set()
    lost = threading.Event()
    lock = threading.Lock()
    told: list[str] = []

    def hear(checkpoint: Checkpoint) -> None:
        with lock:
            begun.add(checkpoint.member)
            if len(begun) == len(TWO) and not lost.is_set():
                lost.set()
                cluster.lose_second()

    caplog.set_level(logging.WARNING)
    with Legs(TASK, two, Layout(2, 2, 1), steps=STEPS, on_checkpoint=hear) as legs:
        outcomes = legs.advance(
            TWO, STEPS, episodes=EPISODES, on_trained=lambda one, _: told.append(one.name)
        )
        found = {
            name: (outcome.policy.read_bytes(), outcome.score)
            for name, outcome in outcomes.items()
            if isinstance(outcome, Trained)
        }
    assert lost.is_set()
    assert [r.message for r in caplog.records if "a node was lost" in r.message]
    assert sorted(told) == ["m0", "m1"]
    assert found == local
