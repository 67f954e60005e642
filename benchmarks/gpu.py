"""How fast do candidates train on a GPU, and how long would a whole search take?

    python benchmarks/gpu.py [--quick] [--json FILE] [--device cuda] [--task NAME]

Ant and Humanoid, 16 candidates × 1,024 environments in one simulation on the device.  In turns, in
control steps per second of all environments together:

- bare: ``mujoco_warp.step`` alone, captured in a CUDA graph, under random actions, every
  environment put back to an initial state now and then;
- simulator: ours under random actions, with resets, variables and observations;
- training: a population with its reward programs, learning included.

Then, measured too: training with 8, 4 and 2 candidates as they are left by pruning, what a leg of
a training costs besides, and how fast the processor steps what is scored.  From these parts the
time of a Eureka search is COMPUTED: 16 samples × 5 iterations at 10 million steps each, dropping
the weaker half at an eighth, a quarter and half of the training, with scores of 8 episodes there
and of 32 at the end.  What a language model takes to answer is not in it.

Where there is no CUDA, says so and ends well.  ``--device warp-cpu`` runs a toy of it on the
processor, to try the script; its figures mean nothing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.measure import (
    Spread,
    alternate,
    machine,
    options,
    print_table,
    ratio,
    read_options,
    refuse,
    spelt,
    write_json,
)
from benchmarks.training import clocked_training, members_of, say, wait_for

if TYPE_CHECKING:
    from reward_synth.task import Task

TASKS = ("ant-forward", "humanoid-run")
TOY = "warp-cpu"
RESET_EVERY = 100
"""Control steps after which bare stepping starts from initial states again."""


class Size:
    """How much is measured."""

    def __init__(self, device: str, quick: bool) -> None:
        toy = device == TOY
        self.candidates = 4 if toy else 16
        self.environments = 4 if toy else 1024
        self.rounds = 1 if toy else 2 if quick else 5
        self.control_steps = 4 if toy else 200 if quick else 600
        self.rollouts = 1 if toy else 4 if quick else 12
        self.scored_steps = 4 if toy else 200


SAMPLES, ITERATIONS, STEPS = 16, 5, 10_000_000
"""Of the search whose time is computed."""
RUNGS = (1 / 8, 1 / 4, 1 / 2)
RUNG_EPISODES, EPISODES = 8, 32

BARE, SIMULATOR, TRAINING = "bare mujoco_warp", "simulator", "training"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("--device", metavar="NAME", help=f"cuda, cuda:K, or {TOY}")
    parser.add_argument("--task", action="append", metavar="NAME", help="one of the tasks only")
    given = read_options(parser, arguments)
    import torch

    cuda = torch.cuda.is_available()
    device = given.device or "cuda"
    if device != TOY and not device.startswith("cuda"):
        refuse(f"{parser.prog}: --device {device}: give cuda, cuda:K or {TOY}")
    if device != TOY and not cuda:
        print(f"there is no CUDA device here, so nothing is measured; {TOY} tries the script")
        if given.json is not None:
            write_json(given.json, {"cuda": False, "machine": machine()})
        return
    document: dict[str, Any] = {"cuda": cuda, "device": name_of(device)}
    for name in given.task or TASKS:
        document[name] = measure(name, device, Size(device, given.quick))
        report(name, device, document[name])
    if given.json is not None:
        write_json(given.json, document | {"machine": machine()})


def name_of(device: str) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def measure(task_name: str, device: str, size: Size) -> dict[str, Any]:
    """All figures of one task."""
    from reward_synth.task import load_task

    task = load_task(task_name)
    count = size.candidates * size.environments
    say(f"{task_name}: compiling kernels for {device}")
    leg = Leg(task, device, size.environments)
    leg.speed(size.candidates, 1)
    contenders: dict[str, Callable[[], float]] = {
        BARE: partial(bare(task, count, device), size.control_steps),
        SIMULATOR: partial(simulator(task, count, device), size.control_steps),
        TRAINING: partial(leg.speed, size.candidates, size.rollouts),
    }
    speeds = alternate(contenders, size.rounds)
    by_members = {size.candidates: Spread.of(speeds[TRAINING]).median}
    members = size.candidates
    while members > 2:
        members //= 2
        by_members[members] = leg.speed(members, size.rollouts)
        say(f"{members} candidates: {by_members[members]:,.0f} steps/s")
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        steps = size.rollouts * size.environments * task.ppo.rollout_steps
        sharing = executor.submit(
            clocked_training, task_name, size.candidates, steps, device, size.environments
        ).result()
    scoring = scoring_speed(task, size.scored_steps)
    return {
        "steps_per_second": {name: round(Spread.of(s).median) for name, s in speeds.items()},
        "simulator_of_bare": round(ratio(speeds[SIMULATOR], speeds[BARE]).median, 4),
        "training_of_bare": round(ratio(speeds[TRAINING], speeds[BARE]).median, 4),
        "training": [round(speed) for speed in speeds[TRAINING]],
        "shares": {name: round(share, 4) for name, share in sharing.items()},
        "by_candidates": {str(members): round(speed) for members, speed in by_members.items()},
        "candidates": size.candidates,
        "environments": size.environments,
        "environments_after_memory": leg.environments_had,
        "seconds_of_a_leg": round(leg.besides, 2),
        "scoring_steps_per_second": round(scoring),
        "eureka_search": eureka_search(by_members, leg.besides, scoring, task.episode_steps),
    }


# --- what is measured ----------------------------------------------------------------------------


def bare(task: "Task", count: int, device: str) -> Callable[[int], float]:
    """``mujoco_warp`` alone: gives control steps per second."""
    import numpy as np
    import torch

    from reward_synth.simulation.model import build_model
    from reward_synth.simulation.warp_physics import WarpPhysics, load_warp

    place = "cpu" if device == TOY else "cuda:0" if device == "cuda" else device
    warp, mujoco_warp = load_warp(place)
    bound = build_model(task)
    ours = WarpPhysics(bound.model, 1, task.frame_skip, place, str(task.folder / "task.py"))
    with warp.ScopedDevice(place):
        model = mujoco_warp.put_model(bound.model)
        data = mujoco_warp.make_data(
            bound.model, nworld=count, nconmax=ours.contacts, njmax=ours.rows
        )
        ours.close()
        mujoco_warp.step(model, data)
        with warp.ScopedCapture(device=place) as capture:
            for _ in range(task.frame_skip):
                mujoco_warp.step(model, data)
    rng = np.random.default_rng(0)
    start = [torch.tensor(part, dtype=torch.float32) for part in task.reset(rng, count)]
    start = [part.to(place) for part in start]
    views = [warp.to_torch(part) for part in (data.qpos, data.qvel)]
    ctrl = warp.to_torch(data.ctrl)
    low, high = torch.as_tensor(bound.model.actuator_ctrlrange, dtype=torch.float32).to(place).T
    centre, half = (low + high) / 2, (high - low) / 2

    def speed(control_steps: int) -> float:
        stream = None
        if place != "cpu":
            stream = warp.stream_from_torch(torch.cuda.current_stream(place))
        warp.synchronize_device(place)
        begun = time.perf_counter()
        for step in range(control_steps):
            if step % RESET_EVERY == 0:
                for view, part in zip(views, start, strict=True):
                    view.copy_(part)
            ctrl.copy_(centre + half * (2.0 * torch.rand(ctrl.shape, device=place) - 1.0))
            warp.capture_launch(capture.graph, stream=stream)
        wait_for(device)
        warp.synchronize_device(place)
        return control_steps * count / (time.perf_counter() - begun)

    return speed


def simulator(task: "Task", count: int, device: str) -> Callable[[int], float]:
    """Our simulator under random actions: gives control steps per second."""
    import torch

    from reward_synth.simulation import open_simulator

    ours = open_simulator(task, count, device)
    ours.reset(0)
    place = ours.placement

    def speed(control_steps: int) -> float:
        wait_for(device)
        begun = time.perf_counter()
        for _ in range(control_steps):
            ours.step(2.0 * torch.rand(count, ours.action_size, **place) - 1.0)
        wait_for(device)
        return control_steps * count / (time.perf_counter() - begun)

    return speed


class Leg:
    """Trainings of populations on the device, in this process."""

    def __init__(self, task: "Task", device: str, environments: int) -> None:
        self.task = task
        self.device = device
        self.environments = environments
        self.environments_had = environments
        """Fewer than asked for where the device's memory was too small."""
        self.besides = 0.0
        """Seconds of the last training besides learning: building, capturing, writing."""
        self.folder = TemporaryDirectory()

    def speed(self, members: int, rollouts: int) -> float:
        """Train; environment steps per second of all members."""
        from sandbox.messages import TrainJob
        from sandbox.training import train

        steps = rollouts * self.environments * self.task.ppo.rollout_steps
        job = TrainJob(
            task=str(self.task.folder.resolve()),
            members=members_of(self.task.name, members),
            folder=self.folder.name,
            steps=steps,
            device=self.device,
            environments=self.environments,
        )
        begun = time.perf_counter()
        result = train(job, lambda _: None)
        wait_for(self.device)
        elapsed = time.perf_counter() - begun
        reports = [member.report for member in result.members if member.report is not None]
        if len(reports) < members:
            raise RuntimeError(f"a member did not train: {result.members}")
        self.environments_had = min(report.environments for report in reports)
        seconds = max(report.seconds for report in reports)
        self.besides = elapsed - seconds
        return sum(report.steps for report in reports) / seconds


def scoring_speed(task: "Task", control_steps: int) -> float:
    """Control steps per second of the simulator that scores: the processor's, on one core."""
    import numpy as np

    from reward_synth.simulation.episodes import EpisodeRecorder
    from reward_synth.simulation.mujoco_cpu import MujocoSimulator

    simulator = MujocoSimulator(task, SAMPLES * RUNG_EPISODES)
    episodes = EpisodeRecorder(simulator)
    rng = np.random.default_rng(0)
    simulator.reset(0)
    begun = time.perf_counter()
    for _ in range(control_steps):
        action = rng.uniform(-1.0, 1.0, (simulator.num_envs, simulator.action_size))
        episodes.record(simulator.step(action))
    elapsed = time.perf_counter() - begun
    simulator.close()
    return control_steps * simulator.num_envs / elapsed


# --- what is computed ----------------------------------------------------------------------------


def eureka_search(
    by_members: Mapping[int, float], leg_seconds: float, scoring: float, episode_steps: int
) -> dict[str, Any]:
    """Seconds of the search from measured speeds, with pruning and without.

    Episodes that are scored are taken to last as long as they can.
    """
    members, before = SAMPLES, 0.0
    training = scored_steps = steps = 0.0
    for share in (*RUNGS, 1.0):
        part = members * (share - before) * STEPS
        training += part / nearest(by_members, members)
        steps += part
        scored_steps += members * episode_steps * (RUNG_EPISODES if share < 1.0 else EPISODES)
        before = share
        if share < 1.0:
            members = max(2, members // 2)
    legs = len(RUNGS) + 1
    parts = {
        "training": ITERATIONS * training,
        "legs": ITERATIONS * legs * leg_seconds,
        "scoring": ITERATIONS * scored_steps / scoring,
    }
    all_steps = SAMPLES * STEPS
    unpruned = all_steps / nearest(by_members, SAMPLES) + leg_seconds
    unpruned += SAMPLES * EPISODES * episode_steps / scoring
    return {
        "computed": True,
        "seconds": round(sum(parts.values()), 1),
        "seconds_of": {name: round(seconds, 1) for name, seconds in parts.items()},
        "seconds_unpruned": round(ITERATIONS * unpruned, 1),
        "share_of_steps": round(steps / all_steps, 4),
    }


def nearest(by_members: Mapping[int, float], members: int) -> float:
    """The speed measured with so many members, or with the next number below."""
    known = [count for count in by_members if count <= members] or [min(by_members)]
    return by_members[max(known)]


def report(name: str, device: str, result: Mapping[str, Any]) -> None:
    speeds = result["steps_per_second"]
    environments = f"{result['candidates']} candidates × {result['environments']:,} environments"
    print_table(
        f"{name} on {name_of(device)}: {environments}",
        ["contender", "control steps/s", "of bare"],
        [
            [contender, f"{speed:,}", f"{speed / speeds[BARE]:.2f}"]
            for contender, speed in speeds.items()
        ],
    )
    told = ", ".join(f"{part} {share:.0%}" for part, share in result["shares"].items())
    print(f"where training's time goes: {told}")
    told = ", ".join(f"{count}: {speed:,}" for count, speed in result["by_candidates"].items())
    print(f"training by candidates, steps/s: {told}")
    if result["environments_after_memory"] != result["environments"]:
        print(f"memory was enough for {result['environments_after_memory']} environments each")
    spread = Spread.of(result["training"])
    search = result["eureka_search"]
    told = ", ".join(f"{part} {seconds:,.0f} s" for part, seconds in search["seconds_of"].items())
    print(
        f"training: {spelt(spread, 0)} steps/s\n"
        f"COMPUTED from these parts, a search of {SAMPLES} samples × {ITERATIONS} iterations × "
        f"{STEPS:,} steps: {search['seconds'] / 60:,.1f} minutes ({told}); without pruning "
        f"{search['seconds_unpruned'] / 60:,.1f}; pruning trains {search['share_of_steps']:.0%} of "
        "the steps\n"
    )


if __name__ == "__main__":
    main()
