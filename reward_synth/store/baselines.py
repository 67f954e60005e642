"""Expert and sparse rewards as the plain trainings of a store measured them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from reward_synth.store.schema import Run

if TYPE_CHECKING:
    from reward_synth.store.store import Store

TRAINED = {
    "steps": None,
    "trainer": "population",
    "algorithm": "ppo",
    "parameters": {},
    "device": "cpu",
    "environments": None,
}
"""Settings that decide how long and how a policy is trained, as runs record them, with their
defaults: a run of an older version may lack some."""


def trained_baselines(
    trainings: Sequence[Run], folder: Path, config: Mapping[str, Any], seeds: Sequence[int]
) -> dict[str, list[float]]:
    """Fitness per seed of expert and sparse reward, from plain ``trainings``, newest first.

    Of finished ones on the task in ``folder`` that trained as ``config`` (as recorded) says, on
    these seeds (on any, where there are none).
    """
    found: dict[str, list[float]] = {}
    for run in reversed(trainings):
        if run.status != "finished" or Path(run.task_folder) != folder.absolute():
            continue
        reward = run.config["reward"]
        if reward not in ("expert", "sparse") or not trained_alike(run.config, config):
            continue
        fitness = {
            e.seed: e.fitness
            for c in run.candidates
            for e in c.evaluations
            if e.fitness is not None
        }
        if all(seed in fitness for seed in seeds):
            found[reward] = [fitness[seed] for seed in seeds or fitness]
    return found


def trained_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two runs with these settings train in the same way for the same time."""
    return all(one.get(name, usual) == other.get(name, usual) for name, usual in TRAINED.items())


def baselines_since(store: "Store", runs: Sequence[Run]) -> list[dict[str, float]]:
    """Mean fitness of the expert and sparse rewards on each run's own seeds, by name.

    For runs that finished before they were trained; empty where they still are not.
    """
    trainings = store.list_runs("train") if any(run.result for run in runs) else []
    return [_baselines_since(trainings, run) for run in runs]


def _baselines_since(trainings: Sequence[Run], run: Run) -> dict[str, float]:
    if run.result is None:
        return {}
    folder, seeds = Path(run.task_folder), run.result["seeds"]
    found = trained_baselines(trainings, folder, run.config, seeds)
    return {name: fmean(values) for name, values in found.items()}
