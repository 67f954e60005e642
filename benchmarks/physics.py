"""How near to bare physics do eight reward programs leave the simulator?

    python benchmarks/physics.py [--quick] [--json FILE]

For HalfCheetah and Ant, 8 candidates × 16 environments, each candidate with a reward program of
its own from ``benchmarks/programs``.  Contenders, all in control steps per second under the same
uniformly random actions, with episodes that end as the task says:

- the raw limit: a loop of ``mj_step(model, data, frame_skip)`` in one process, alone on the
  machine, times the cores;
- ours: all that training does around physics but the network and its update, which is stepping,
  automatic resets, observations, recording of rollouts and episodes, and every program's reward
  with its components; as one process with a thread for each core, and as one process per core;
- EnvPool with as many environments and a thread for each core, synchronous and asynchronous;
- Gymnasium: its vector environments over one process per core.

Each stays in processes of its own that wait while the others are measured.
"""

import importlib.util
import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

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

PROGRAMS = Path(__file__).parent / "programs"
CANDIDATES = 8
ENVIRONMENTS = 16
"""For each candidate."""
WARM_UP_SECONDS = 1.0
FULL = (7, 4.0)
"""Rounds, and seconds of each measurement."""
QUICK = (3, 2.5)
ACTION_BATCHES = 64
"""Batches of random actions, drawn beforehand and used in a circle."""
RAW_CONTROLS = 4096
RAW, OURS, ENVPOOL, GYMNASIUM = "raw limit", "ours", "EnvPool", "Gymnasium"

Runner = Callable[[float], int]
"""Runs for some seconds; gives the control steps done."""


@dataclass(frozen=True)
class Setting:
    """A task, and what the others call it."""

    task: str
    envpool: str
    """v4, which leaves out work that v5 does (contact forces), and is never slower."""
    gymnasium: str
    gymnasium_options: Mapping[str, Any] = field(default_factory=dict)
    healthy_height: tuple[float, float] | None = None
    """Heights (``qpos[2]``) beyond which an episode ends, for the raw loop; None: it never does."""


SETTINGS = (
    Setting("cheetah-run", "HalfCheetah-v4", "HalfCheetah-v5"),
    Setting(
        "ant-forward",
        "Ant-v4",
        "Ant-v5",
        {"include_cfrc_ext_in_observation": False},
        healthy_height=(0.2, 1.0),
    ),
)


def programs_of(task_name: str) -> list[Path]:
    """The reward programs for a task, in order."""
    return sorted((PROGRAMS / task_name).glob("*.py"))


def main() -> None:
    given = read_options(options(__doc__))
    rounds, seconds = QUICK if given.quick else FULL
    results: dict[str, Any] = {}
    for setting in SETTINGS:
        measured = measure(setting, rounds, seconds)
        ratios = compare(measured)
        report(setting, measured, ratios)
        results[setting.task] = {
            name: None if spread is None else round(spread.median, 4)
            for name, spread in ratios.items()
        }
    if given.json is not None:
        write_json(given.json, results | {"machine": machine()})


def measure(setting: Setting, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Control steps per second of every contender, round by round."""
    teams: dict[str, Team] = {}
    try:
        for name, members in contenders(setting).items():
            teams[name] = Team(members)
        measured = alternate(
            {name: partial(team.speed, seconds) for name, team in teams.items()}, rounds
        )
    finally:
        for team in teams.values():
            team.close()
    # One core's loop, alone on the machine, stands for each of them.
    return measured | {RAW: [speed * cores() for speed in measured[RAW]]}


def contenders(setting: Setting) -> dict[str, list[Callable[[], Runner]]]:
    """Processes of each contender, each given by what makes its runner."""
    files = programs_of(setting.task)[:CANDIDATES]
    total = CANDIDATES * ENVIRONMENTS
    count = cores()
    processes = min(count, CANDIDATES)
    shares = [list(share) for share in np.array_split(np.array(files, object), processes)]
    found: dict[str, list[Callable[[], Runner]]] = {
        RAW: [partial(raw, setting)],
        f"{OURS}, 1 process × {count} threads": [partial(ours, setting.task, files, count)],
    }
    if processes > 1:
        threads = count // processes
        found[f"{OURS}, {processes} processes × {threads} thread{'s' * (threads > 1)}"] = [
            partial(ours, setting.task, share, threads) for share in shares
        ]
    if importlib.util.find_spec("envpool") is not None:
        for name, batch in (("synchronous", total), ("asynchronous", total // 2)):
            found[f"{ENVPOOL}, {name}"] = [partial(envpool, setting.envpool, total, batch, count)]
    share = -(-total // count)
    return found | {
        f"{GYMNASIUM}, AsyncVectorEnv of {count}": [partial(gymnasium, setting, count, 1)],
        f"{GYMNASIUM}, {count} × SyncVectorEnv of {share}": (
            [partial(gymnasium, setting, 1, share)] * count
        ),
    }


# --- the contenders ----------------------------------------------------------------------------


def raw(setting: Setting) -> Runner:
    """One environment of the task's model, stepped as fast as ``mj_step`` goes."""
    import mujoco

    from reward_synth.simulation.control import ControlMap
    from reward_synth.simulation.model import build_model
    from reward_synth.task import load_task

    task = load_task(setting.task)
    bound = build_model(task)
    model, data = bound.model, mujoco.MjData(bound.model)
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1.0, 1.0, (RAW_CONTROLS, model.nu))
    controls = cycle(
        list(ControlMap(task.actions, model, setting.task)(actions, actions[:, :0])[0])
    )
    lowest, highest = setting.healthy_height or (-np.inf, np.inf)

    def reset() -> None:
        qpos, qvel = task.reset(rng, 1)
        mujoco.mj_resetData(model, data)
        data.qpos[:], data.qvel[:] = qpos[0], qvel[0]

    def run(seconds: float) -> int:
        steps, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            reset()
            for _ in range(task.episode_steps):
                data.ctrl[:] = next(controls)
                mujoco.mj_step(model, data, task.frame_skip)
                steps += 1
                if setting.healthy_height and not lowest <= data.qpos[2] <= highest:
                    break
        return steps

    return run


def ours(task_name: str, files: Sequence[Path], threads: int) -> Runner:
    """These reward programs, with ``ENVIRONMENTS`` environments each, in one simulation."""
    from reward_synth.reward import parse, read_program
    from reward_synth.simulation import open_simulator, task_spec
    from reward_synth.simulation.episodes import EpisodeRecorder
    from reward_synth.simulation.rollout import Rollout
    from reward_synth.task import load_task

    task = load_task(task_name)
    simulator = open_simulator(task, len(files) * ENVIRONMENTS, threads=threads)
    sizes = task_spec(task).readable
    programs = [parse(read_program(file), sizes) for file in files]
    slices = [slice(k * ENVIRONMENTS, (k + 1) * ENVIRONMENTS) for k in range(len(files))]
    candidates = [
        (program.arguments, program.compile("numpy"), mine)
        for program, mine in zip(programs, slices, strict=True)
    ]
    rollout = Rollout(simulator, task.ppo.rollout_steps)
    episodes = EpisodeRecorder(simulator)
    actions = random_actions(simulator.num_envs, simulator.action_size)
    simulator.reset([0] * len(files))

    def run(seconds: float) -> int:
        steps, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            for _ in range(rollout.steps):
                step = simulator.step(next(actions))
                rollout.record(step)
                episodes.record(step)
            for arguments, reward, mine in candidates:
                total, _ = reward(**rollout.inputs(arguments, mine))
                if not np.isfinite(total).all():
                    raise ValueError("a reward is not finite")
            steps += rollout.steps * simulator.num_envs
        return steps

    return run


def envpool(name: str, environments: int, batch: int, threads: int) -> Runner:
    """EnvPool; asynchronous where a batch is less than all environments."""
    import envpool  # pyright: ignore[reportMissingImports] - optional

    pool: Any = envpool.make(
        name,
        env_type="gymnasium",
        num_envs=environments,
        batch_size=batch,
        num_threads=threads,
    )
    actions = random_actions(batch, pool.action_space.shape[0])
    pool.async_reset()

    def run(seconds: float) -> int:
        steps, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            info = pool.recv()[-1]
            pool.send(next(actions), info["env_id"])
            steps += batch
        return steps

    return run


def gymnasium(setting: Setting, processes: int, environments: int) -> Runner:
    """Gymnasium's environments: in this process, or one in each of several."""
    from gymnasium import make
    from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv

    one = partial(make, setting.gymnasium, **setting.gymnasium_options)
    if processes > 1:
        vector: Any = AsyncVectorEnv([one] * processes)
    else:
        vector = SyncVectorEnv([one] * environments)
    actions = random_actions(vector.num_envs, vector.single_action_space.shape[0])
    vector.reset(seed=0)

    def run(seconds: float) -> int:
        steps, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            vector.step(next(actions))
            steps += vector.num_envs
        return steps

    return run


def random_actions(rows: int, size: int) -> "cycle[np.ndarray]":
    rng = np.random.default_rng(0)
    return cycle(list(rng.uniform(-1.0, 1.0, (ACTION_BATCHES, rows, size))))


# --- processes that wait for their turn ----------------------------------------------------------


class Team:
    """Processes that run at the same time, whenever they are asked to."""

    def __init__(self, members: Sequence[Callable[[], Runner]]) -> None:
        context = multiprocessing.get_context("spawn")
        self.processes = []
        self.pipes: list[Any] = []
        for member in members:
            pipe, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, member))
            process.start()
            theirs.close()
            self.processes.append(process)
            self.pipes.append(pipe)
        self.speed(WARM_UP_SECONDS)

    def speed(self, seconds: float) -> float:
        """Control steps per second of all together, until the last one is done."""
        for pipe in self.pipes:
            pipe.recv()
        begun = time.perf_counter()
        for pipe in self.pipes:
            pipe.send(seconds)
        steps = sum(pipe.recv() for pipe in self.pipes)
        return steps / (time.perf_counter() - begun)

    def close(self) -> None:
        for pipe in self.pipes:
            pipe.close()
        for process in self.processes:
            process.join(timeout=5.0)
            if process.is_alive():
                process.kill()


def serve(pipe: Connection, make_runner: Callable[[], Runner]) -> None:
    """A member's process: says that it is ready, runs when told to, and ends with the pipe."""
    run = make_runner()
    try:
        while True:
            pipe.send("ready")
            pipe.send(run(pipe.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


# --- what comes of it ----------------------------------------------------------------------------


def kinds(measured: Mapping[str, Sequence[float]]) -> dict[str, str | None]:
    """The best layout of each contender; None where there is none."""
    found: dict[str, str | None] = {}
    for kind in (RAW, OURS, ENVPOOL, GYMNASIUM):
        layouts = [name for name in measured if name.split(",")[0] == kind]
        found[kind] = best(measured, layouts) if layouts else None
    return found


def compare(measured: Mapping[str, Sequence[float]]) -> dict[str, Spread | None]:
    """Our best layout over each one's best."""
    layouts = kinds(measured)
    found: dict[str, Spread | None] = {}
    for name, kind in (
        ("of_raw_limit", RAW),
        ("over_envpool", ENVPOOL),
        ("over_gymnasium", GYMNASIUM),
    ):
        mine, theirs = layouts[OURS], layouts[kind]
        assert mine is not None
        found[name] = None if theirs is None else ratio(measured[mine], measured[theirs])
    return found


def report(
    setting: Setting,
    measured: Mapping[str, Sequence[float]],
    ratios: Mapping[str, Spread | None],
) -> None:
    rows = [
        [name, spelt(Spread.of(speeds), 0), spelt(ratio(speeds, measured[RAW]))]
        for name, speeds in measured.items()
    ]
    for kind, layout in kinds(measured).items():
        if layout is None:
            rows.append([f"{kind}: not installed", spelt(None), spelt(None)])
    print_table(
        f"{setting.task}: {CANDIDATES} candidates × {ENVIRONMENTS} environments, {cores()} cores",
        ["contender", "control steps/s: median (least to most)", "of the raw limit"],
        rows,
    )
    for name, spread in ratios.items():
        print(f"{name.replace('_', ' ')}: {spelt(spread)}")
    print()


if __name__ == "__main__":
    main()
