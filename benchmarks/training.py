"""How fast do candidates train, learning included, and what does the time go into?

    python benchmarks/training.py [--quick] [--json FILE]

HalfCheetah (``cheetah-run``), reward programs from ``benchmarks/programs``.  Contenders, all in
environment steps per second of all candidates together, policy updates included:

- population: what ``reward-synth run`` trains with, confined workers in the layout that
  measurement picks for this machine; starting the jobs, the statistics of every component and
  writing the policies count too;
- SB3, best layout: stable-baselines3's PPO with the task's own hyperparameters and networks, one
  single-threaded process per core, 16 environments or the task's number, whichever is faster;
- SB3, default layout: one process, 8 environments, minibatches of 256, all else as it comes:
  rollouts of 2048, 10 epochs, as many threads as torch takes.

Both are given our batched simulator with the candidate's reward program, and none of our
bookkeeping.  The best layout runs over Gymnasium's own HalfCheetah-v5 with its built-in reward
too, and the fastest of all counts.

The raw limit is a loop of ``mj_step`` in one process, alone on the machine, times the cores.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.measure import (
    Spread,
    alternate,
    best,
    cores,
    machine,
    options,
    print_table,
    ratio,
    read_options,
    spelt,
    write_json,
)
from benchmarks.physics import SETTINGS, Runner, Team, programs_of, raw

if TYPE_CHECKING:
    from reward_synth.evaluation import Layout, WorkerPool
    from reward_synth.task import Task
    from sandbox.messages import Member, TrainResult

CHEETAH = SETTINGS[0]
FULL = (5, 12.0, 24_000)
"""Rounds, seconds of each measurement, and steps of each member while shares are measured."""
QUICK = (3, 6.0, 8_000)
FEW_ENVIRONMENTS = 16
DEFAULT_ENVIRONMENTS = 8
DEFAULT_BATCH = 256
SHARE_MEMBERS = 8
POPULATION, BEST, DEFAULT, RAW = "population", "SB3 best", "SB3 default", "raw limit"
THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Environment variables that would change what "default threads" means."""


def main(arguments: Sequence[str] | None = None) -> None:
    given = read_options(options(__doc__), arguments)
    forget_thread_settings()
    rounds, seconds, steps = QUICK if given.quick else FULL
    measured = measure(rounds, seconds)
    sharing = shares(steps)
    ratios = compare(measured)
    report(measured, ratios, sharing)
    if given.json is not None:
        document: dict[str, Any] = {
            name: round(spread.median, 4) for name, spread in ratios.items()
        }
        document["shares"] = {name: round(share, 4) for name, share in sharing.items()}
        document["steps_per_second"] = {
            name: round(Spread.of(speeds).median) for name, speeds in measured.items()
        }
        write_json(given.json, document | {"machine": machine()})


def forget_thread_settings() -> None:
    """Let the processes that are started from here have the libraries' own defaults."""
    for name in THREAD_SETTINGS:
        os.environ.pop(name, None)


def say(message: str) -> None:
    """One line of progress."""
    print(message, file=sys.stderr, flush=True)


def measure(rounds: int, seconds: float) -> dict[str, list[float]]:
    """Steps per second of every contender, round by round."""
    from reward_synth.evaluation import WorkerPool, measured
    from reward_synth.task import load_task

    task = load_task(CHEETAH.task)
    few, own = FEW_ENVIRONMENTS, task.ppo.environments
    each = f"{cores()} processes × 1 thread"
    teams: dict[str, Team] = {}
    with WorkerPool(task.folder, cores()) as pool:
        layout = measured(task, pool, tell=say)
        name = f"{POPULATION}, {layout.workers} workers × {layout.members} members"
        contenders: dict[str, Callable[[], float]] = {
            name: partial(population_speed, task, pool, layout, seconds)
        }
        members: dict[str, list[Callable[[], Runner]]] = {
            **{
                f"{BEST}, {each} × {environments} environments": [
                    partial(sb3_best, k, environments) for k in range(cores())
                ]
                for environments in sorted({few, own})
            },
            f"{DEFAULT}, 1 process, default threads": [sb3_default],
            f"{BEST}, {each} × {few} of Gymnasium's": [partial(sb3_over_gymnasium, few)] * cores(),
            RAW: [partial(raw, CHEETAH)],
        }
        try:
            for contender, processes in members.items():
                teams[contender] = Team(processes)
                contenders[contender] = partial(teams[contender].speed, seconds)
            speeds = alternate(contenders, rounds)
        finally:
            for team in teams.values():
                team.close()
    # One core's loop, alone on the machine, stands for each of them.
    return speeds | {RAW: [speed * cores() for speed in speeds[RAW]]}


# --- the contenders ----------------------------------------------------------------------------


def program_files(task_name: str, count: int) -> list[Path]:
    """The task's reward programs, from the first again where there are fewer than ``count``; its
    expert reward where it has none."""
    from reward_synth.task import load_task

    files = programs_of(task_name)
    files = files or [load_task(task_name).folder / "expert_reward.py"]
    return list(islice(cycle(files), count))


def members_of(task_name: str, count: int) -> "list[Member]":
    """Members with the task's reward programs, in turn."""
    from reward_synth.reward import read_program
    from sandbox.messages import Member

    return [
        Member(name=f"m{k}", program=read_program(file), seed=k)
        for k, file in enumerate(program_files(task_name, count))
    ]


def population_speed(task: "Task", pool: "WorkerPool", layout: "Layout", seconds: float) -> float:
    """Train one population in every worker for about ``seconds``; steps per second of all."""
    results, elapsed = train_populations(task, pool, layout, seconds, members_of)
    done = sum(m.report.steps for r in results for m in r.members if m.report is not None)
    return done / elapsed


def train_populations(
    task: "Task",
    pool: "WorkerPool",
    layout: "Layout",
    seconds: float,
    members: "Callable[[str, int], list[Member]]",
) -> "tuple[list[TrainResult], float]":
    """Train one population in every worker for about ``seconds``: what they gave, and how long it
    took from the jobs' start.

    ``members`` gives so many members for the task of a name.
    """
    from sandbox.messages import TrainJob, TrainResult

    everyone = members(task.name, layout.workers * layout.members)
    batch = task.ppo.environments * task.ppo.rollout_steps
    wanted = seconds * max(1.0, layout.steps_per_second) / len(everyone)
    steps = batch * max(1, round(wanted / batch))

    def one(index: int) -> TrainResult:
        def job(folder: str) -> TrainJob:
            return TrainJob(
                task=str(task.folder.resolve()),
                members=everyone[index :: layout.workers],
                folder=folder,
                steps=steps,
                threads=max(1, layout.cores // layout.workers),
            )

        outcome = pool.run(job)
        if not isinstance(outcome, TrainResult):
            raise RuntimeError(f"the population did not train: {outcome}")
        return outcome

    for worker in pool.all:
        worker.start()
    begun = time.perf_counter()
    with ThreadPoolExecutor(layout.workers) as executor:
        results = list(executor.map(one, range(layout.workers)))
    return results, time.perf_counter() - begun


def rewarded_simulator(task_name: str, index: int, environments: int) -> Any:
    """Our simulator as SB3's environments, rewarded by the task's ``index``-th program."""
    from reward_synth.reward import parse, read_program
    from reward_synth.simulation import task_spec
    from reward_synth.simulation.mujoco_cpu import MujocoSimulator
    from reward_synth.task import load_task
    from sandbox.vec_env import RewardedSimulator

    task = load_task(task_name)
    simulator = MujocoSimulator(task, environments, threads=1)
    file = program_files(task_name, index + 1)[-1]
    program = parse(read_program(file), task_spec(task).readable)
    return RewardedSimulator(simulator, program, {}, index, lambda *_: None)


def tuned_ppo(environment: Any, seed: int, environments: int, task_name: str = CHEETAH.task) -> Any:
    """SB3's PPO on one thread with a task's hyperparameters, observations and rewards normalised
    as the population's are; the task by its name or its folder."""
    from dataclasses import replace

    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import VecNormalize

    from reward_synth.task import load_task
    from sandbox.reference import ppo_defaults, use_one_thread

    use_one_thread()
    task = load_task(task_name)
    settings = replace(task.ppo, environments=environments)
    arguments = ppo_defaults(settings, task.training_steps)
    normalised = VecNormalize(environment, gamma=settings.discount)
    return PPO("MlpPolicy", normalised, seed=seed, device="cpu", **arguments)


def sb3_best(index: int, environments: int) -> Runner:
    return learning(sb3_best_model(index, environments))


def sb3_best_model(index: int, environments: int) -> Any:
    environment = rewarded_simulator(CHEETAH.task, index, environments)
    return tuned_ppo(environment, index, environments)


def sb3_over_gymnasium(environments: int) -> Runner:
    from gymnasium import make
    from stable_baselines3.common.vec_env import DummyVecEnv

    environment = DummyVecEnv([partial(make, CHEETAH.gymnasium)] * environments)
    return learning(tuned_ppo(environment, 0, environments))


def sb3_default() -> Runner:
    return learning(default_ppo(rewarded_simulator(CHEETAH.task, 0, DEFAULT_ENVIRONMENTS)))


def default_ppo(environment: Any, seed: int = 0, **arguments: Any) -> Any:
    """SB3's PPO as it comes, but for the minibatches of 256 that 8 environments want."""
    from stable_baselines3 import PPO

    return PPO(
        "MlpPolicy", environment, batch_size=DEFAULT_BATCH, seed=seed, device="cpu", **arguments
    )


def learning(model: Any) -> Runner:
    """Learns by whole rollouts with their updates."""
    batch = model.n_steps * model.n_envs

    def run(seconds: float) -> int:
        done, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            model.learn(batch, reset_num_timesteps=False)
            done += batch
        return done

    return run


# --- where the time goes -------------------------------------------------------------------------


def shares(steps: int) -> dict[str, float]:
    """Shares of the time of one population's process, which trains ``steps`` for each member."""
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        return executor.submit(clocked_training, CHEETAH.task, SHARE_MEMBERS, steps).result()


def clocked_training(
    task_name: str,
    members: int,
    steps: int,
    device: str = "cpu",
    environments: int | None = None,
) -> dict[str, float]:
    """Train one population with a clock around each part.  For a process of its own.

    Gives the shares of stepping the simulator (physics), judging rollouts (reward), the policies'
    forward passes and normalisation (policy), learning (update), and what is left (other:
    recording).  Each clock waits for the device, so that less overlaps than otherwise.
    """
    from reward_synth.simulation.mujoco_cpu import MujocoSimulator
    from reward_synth.task import load_task
    from sandbox.messages import TrainJob
    from sandbox.population import Population
    from sandbox.training import PopulationTraining, train

    spent: dict[str, float] = {}

    def clock(owner: type, method: str, name: str = "") -> None:
        function = getattr(owner, method)

        def timed(*arguments: Any, **named: Any) -> Any:
            wait_for(device)
            begun = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                wait_for(device)
                key = name or method
                spent[key] = spent.get(key, 0.0) + time.perf_counter() - begun

        setattr(owner, method, timed)

    if device == "cpu":
        clock(MujocoSimulator, "step")
    else:
        from reward_synth.simulation.mujoco_warp import WarpSimulator

        clock(WarpSimulator, "step")
    for method in ("collect", "learn"):
        clock(Population, method)
    for method in ("hear", "judge"):
        clock(PopulationTraining, method)
    clock(PopulationTraining, "to_end", "whole")
    task = load_task(task_name)
    with TemporaryDirectory() as folder:
        job = TrainJob(
            task=str(task.folder.resolve()),
            members=members_of(task.name, members),
            folder=folder,
            steps=steps,
            device=device,
            environments=environments,
        )
        train(job, lambda _: None)
    parts = {
        "physics": spent["step"],
        "reward": spent["judge"],
        "policy": spent["collect"] - spent["step"] - spent["hear"],
        "update": spent["learn"],
    }
    parts["other"] = spent["whole"] - sum(parts.values())
    return {name: part / spent["whole"] for name, part in parts.items()}


def wait_for(device: str) -> None:
    """Wait until the device has done what it was told."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)


# --- what comes of it ----------------------------------------------------------------------------


def kind(measured: Mapping[str, Sequence[float]], name: str) -> str:
    """The fastest layout of a contender."""
    return best(measured, [layout for layout in measured if layout.split(",")[0] == name])


def compare(measured: Mapping[str, Sequence[float]]) -> dict[str, Spread]:
    """The population over each of the others."""
    ours = measured[kind(measured, POPULATION)]
    return {
        name: ratio(ours, measured[kind(measured, other)])
        for name, other in (
            ("over_sb3_best", BEST),
            ("over_sb3_default", DEFAULT),
            ("of_raw_limit", RAW),
        )
    }


def report(
    measured: Mapping[str, Sequence[float]],
    ratios: Mapping[str, Spread],
    sharing: Mapping[str, float],
) -> None:
    raw_limit = measured[RAW]
    print_table(
        f"{CHEETAH.task}, learning included, {cores()} cores",
        ["contender", "steps/s: median (least to most)", "of the raw limit"],
        [
            [name, spelt(Spread.of(speeds), 0), spelt(ratio(speeds, raw_limit))]
            for name, speeds in measured.items()
        ],
    )
    for name, spread in ratios.items():
        print(f"{name.replace('_', ' ')}: {spelt(spread)}")
    told = ", ".join(f"{name} {share:.0%}" for name, share in sharing.items())
    print(f"where a population's time goes, {SHARE_MEMBERS} members: {told}")


if __name__ == "__main__":
    main()
