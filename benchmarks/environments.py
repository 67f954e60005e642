"""How much of EnvPool's speed is left by all that training does, and how fast does one learn on it?

    python benchmarks/environments.py [--quick] [--json FILE]

On ``MetaWorld/DrawerOpen-v3``, ``WalkerWalk-v1`` and ``Go1JoystickFlatTerrain-v1``, by turns in one
run:

- collecting, 8 candidates × 16 environments with a reward program each, learning not counted:
  stepping, automatic resets, observations, recording of rollouts and episodes, every program's
  reward with its components; as one process with a thread for each core and as one process per
  core, over EnvPool with as many environments and a thread for each core, synchronous and
  asynchronous, under the same random actions;
- learning, policy updates included: confined workers in the layout that measurement picks for this
  machine, over stable-baselines3's PPO on the same EnvPool environments with the same
  hyperparameters and networks, one single-threaded process per core.

Of each, the fastest layout counts.  Making the environments counts for none: EnvPool takes 0.01 to
0.08 s of a core for each, which is little in a whole training and much in a short measurement.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measure import (
    Spread,
    alternate,
    cores,
    machine,
    options,
    print_table,
    ratio,
    read_options,
    spelt,
    write_json,
)
from benchmarks.physics import (
    CANDIDATES,
    ENVIRONMENTS,
    ENVPOOL,
    OURS,
    Runner,
    Team,
    envpool,
    ours,
)
from benchmarks.training import kind, learning, say, train_populations, tuned_ppo

if TYPE_CHECKING:
    from sandbox.messages import Member, TrainResult

FULL = (5, 4.0, 24.0)
"""Rounds, seconds of each measurement of collecting, and of learning."""
QUICK = (3, 2.0, 12.0)
POPULATION, SB3 = "population", "SB3 PPO"


@dataclass(frozen=True)
class Setting:
    """An environment of EnvPool's, and what is observed of it."""

    id: str
    keys: tuple[str | None, ...]
    """Of the observation; None where it is one array."""
    episode_steps: int


SETTINGS = (
    Setting("MetaWorld/DrawerOpen-v3", (None,), 500),
    Setting("WalkerWalk-v1", ("orientations", "height", "velocity"), 1000),
    Setting("Go1JoystickFlatTerrain-v1", ("state",), 1000),
)
TASK = '''"""A task of the benchmark: all that {id} observes."""

from reward_synth.task import *

KEYS = {keys!r}

task = Task(
    description="Earn the environment's own reward.",
    variables={{
        **{{
            "seen_%d" % k: Variable("part of the observation", "1", Observed(key))
            for k, key in enumerate(KEYS)
        }},
        "native_reward": Variable("the environment's own reward", "1", NativeReward()),
    }},
    observation=tuple("seen_%d" % k for k in range(len(KEYS))),
    episode_steps={episode_steps},
    training_steps=1_000_000,
    fitness=lambda episode: float(episode["native_reward"].sum()),
    fitness_doc="the environment's own return",
    environment=VectorEnvironment({id!r}, pool="envpool"),
)
'''
PROGRAM = '''
SMOOTHNESS = {smoothness}


def compute_reward(native_reward, seen_0, action, prev_action):
    """The environment's own reward, smoothly and with little effort."""
    effort = tolerance(xp.sum(action**2, axis=-1), bounds=(0.0, 1.0), margin=2.0)
    smooth = -SMOOTHNESS * xp.sum((action - prev_action) ** 2, axis=-1)
    calm = xp.exp(-0.01 * xp.sum(seen_0**2, axis=-1))
    total = native_reward + 0.1 * effort + smooth + 0.1 * calm
    return total, {{"native": native_reward, "effort": effort, "smooth": smooth, "calm": calm}}
'''


def main(arguments: Sequence[str] | None = None) -> None:
    given = read_options(options(__doc__), arguments)
    rounds, collect_seconds, learn_seconds = QUICK if given.quick else FULL
    of_pool: dict[str, Spread] = {}
    over_sb3: dict[str, Spread] = {}
    with TemporaryDirectory() as place:
        for setting in SETTINGS:
            folder = write_task(setting, Path(place))
            collected = measure_collecting(setting, folder, rounds, collect_seconds)
            of_pool[setting.id] = ratio(
                collected[kind(collected, OURS)], collected[kind(collected, ENVPOOL)]
            )
            learned = measure_learning(setting, folder, rounds, learn_seconds)
            over_sb3[setting.id] = ratio(
                learned[kind(learned, POPULATION)], learned[kind(learned, SB3)]
            )
            report(setting, collected | learned, of_pool[setting.id], over_sb3[setting.id])
    if given.json is not None:
        medians = {
            name: {id: round(spread.median, 4) for id, spread in spreads.items()}
            for name, spreads in (("of_pool", of_pool), ("over_sb3", over_sb3))
        }
        write_json(given.json, medians | {"machine": machine()})


def write_task(setting: Setting, place: Path) -> Path:
    """A task folder for the environment, with its programs; its name holds no slash."""
    folder = place / setting.id.rpartition("/")[2]
    folder.mkdir()
    text = TASK.format(id=setting.id, keys=setting.keys, episode_steps=setting.episode_steps)
    (folder / "task.py").write_text(text)
    for k in range(CANDIDATES):
        (folder / f"program_{k}.py").write_text(PROGRAM.format(smoothness=0.01 * (k + 1)))
    return folder


def programs_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("program_*.py"))


# --- collecting ----------------------------------------------------------------------------------


def measure_collecting(
    setting: Setting, folder: Path, rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Steps per second, round by round."""
    count = cores()
    files = programs_in(folder)
    total = CANDIDATES * ENVIRONMENTS
    members: dict[str, list[Callable[[], Runner]]] = {
        f"{OURS}, 1 process × {count} threads": [
            partial(ours, str(folder), files, count),
        ],
        f"{ENVPOOL}, synchronous": [partial(envpool, setting.id, total, total, count)],
        f"{ENVPOOL}, asynchronous": [partial(envpool, setting.id, total, total // 2, count)],
    }
    processes = min(count, CANDIDATES)
    if processes > 1:
        members[f"{OURS}, {processes} processes × 1 thread"] = [
            partial(ours, str(folder), files[k::processes], 1) for k in range(processes)
        ]
    return in_turns(members, {}, rounds, seconds)


def in_turns(
    members: Mapping[str, Sequence[Callable[[], Runner]]],
    others: Mapping[str, Callable[[], float]],
    rounds: int,
    seconds: float,
) -> dict[str, list[float]]:
    """Measure teams of processes by turns, and with them the others."""
    teams: dict[str, Team] = {}
    try:
        for name, processes in members.items():
            teams[name] = Team(processes)
        measured = {name: partial(team.speed, seconds) for name, team in teams.items()}
        return alternate({**others, **measured}, rounds)
    finally:
        for team in teams.values():
            team.close()


# --- learning ------------------------------------------------------------------------------------


def measure_learning(
    setting: Setting, folder: Path, rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Steps per second of all candidates together, round by round."""
    from reward_synth.evaluation import WorkerPool, measured
    from reward_synth.task import load_task

    task = load_task(folder)
    with WorkerPool(task.folder, cores()) as pool:
        layout = measured(task, pool, tell=say)
        name = f"{POPULATION}, {layout.workers} workers × {layout.members} members"

        def population() -> float:
            members = partial(members_of, folder)
            results, _ = train_populations(task, pool, layout, seconds, members)
            return sum(speed(result) for result in results)

        learners = [partial(sb3, setting, str(folder), k) for k in range(cores())]
        theirs = f"{SB3}, {cores()} processes × 1 thread × {task.ppo.environments} environments"
        return in_turns({theirs: learners}, {name: population}, rounds, seconds)


def speed(result: "TrainResult") -> float:
    """Steps per second of one worker's members together, from when their environments are made."""
    reports = [member.report for member in result.members if member.report is not None]
    return sum(report.steps for report in reports) / max(report.seconds for report in reports)


def members_of(folder: Path, _: str, count: int) -> "list[Member]":
    """Members with the folder's programs, in turn."""
    from sandbox.messages import Member

    sources = [file.read_text() for file in programs_in(folder)]
    return [Member(name=f"m{k}", program=sources[k % len(sources)], seed=k) for k in range(count)]


def sb3(setting: Setting, folder: str, seed: int) -> Runner:
    """SB3's PPO over EnvPool's environments and their own reward."""
    from reward_synth.task import load_task

    count = load_task(folder).ppo.environments
    return learning(tuned_ppo(pooled(setting, count, seed), seed, count, folder))


def pooled(setting: Setting, environments: int, seed: int) -> Any:
    """EnvPool as SB3's environments, which are reset as soon as an episode ends."""
    import envpool  # pyright: ignore[reportMissingImports] - optional
    from gymnasium import spaces
    from stable_baselines3.common.vec_env import VecEnv

    pool: Any = envpool.make_gymnasium(setting.id, num_envs=environments, num_threads=1, seed=seed)

    def flat(observation: Any) -> np.ndarray:
        parts = [observation if key is None else observation[key] for key in setting.keys]
        rows = [np.asarray(part, np.float32).reshape(len(part), -1) for part in parts]
        return np.concatenate(rows, axis=1)

    class Pooled(VecEnv):
        def __init__(self) -> None:
            width = flat(pool.reset()[0]).shape[1]
            box = spaces.Box(-np.inf, np.inf, (width,), np.float32)
            super().__init__(environments, box, pool.action_space)

        def reset(self) -> np.ndarray:
            return flat(pool.reset()[0])

        def step_async(self, actions: np.ndarray) -> None:
            self.actions = actions

        def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
            observation, reward, terminated, truncated, _ = pool.step(self.actions)
            seen = flat(observation)
            done = np.logical_or(terminated, truncated)
            infos: list[dict[str, Any]] = [{} for _ in range(environments)]
            if done.any():
                ended = np.flatnonzero(done)
                for k in ended:
                    infos[k] = {
                        "terminal_observation": seen[k].copy(),
                        "TimeLimit.truncated": bool(truncated[k]),
                    }
                seen[ended] = flat(pool.reset(ended.astype(np.int32))[0])
            return seen, np.asarray(reward, np.float32), done, infos

        def close(self) -> None:
            pool.close()

        def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
            return [None] * environments

        def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
            raise AttributeError(attr_name)

        def env_method(self, method_name: str, *args: Any, **kwargs: Any) -> list[Any]:
            raise AttributeError(method_name)

        def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
            return [False] * environments

    return Pooled()


# --- what comes of it ----------------------------------------------------------------------------


def report(
    setting: Setting, measured: Mapping[str, Sequence[float]], of_pool: Spread, over_sb3: Spread
) -> None:
    print_table(
        f"{setting.id}, {cores()} cores",
        ["contender", "steps/s: median (least to most)"],
        [[name, spelt(Spread.of(speeds), 0)] for name, speeds in measured.items()],
    )
    print(f"collecting, of EnvPool's own: {spelt(of_pool)}")
    print(f"learning, over {SB3}: {spelt(over_sb3)}")


if __name__ == "__main__":
    main()
