"""What a finished run has to say for itself: the winner, its interval, and what it took."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from reward_synth.evaluation import TrainerChoice
from reward_synth.intervals import interval
from reward_synth.search.config import RunConfig, TrainConfig
from reward_synth.search.strategy import best_of
from reward_synth.store import Store
from reward_synth.store.baselines import trained_baselines
from reward_synth.store.fates import (
    EXECUTED,
    confirmations,
    fitness_values,
    search_evaluations,
    steps_until_pruned,
)
from reward_synth.store.schema import Candidate, Run
from reward_synth.task import Task, baselines


def known_baselines(
    store: Store, task: Task, config: RunConfig | TrainConfig, seeds: Sequence[int]
) -> dict[str, list[float]]:
    """Fitness per seed of expert and sparse reward with this budget and trainer, where measured.

    From finished ``train`` runs of this store on these seeds (on any, where there are none), else
    from the task's ``baselines.json``, which the population trainer made on seeds of its own.
    """
    found: dict[str, list[float]] = {}
    if config.choice == TrainerChoice():
        for name, baseline in baselines(task).items():
            if baseline.steps == config.steps:
                found[name] = baseline.fitness
    trained = store.list_runs("train")
    return found | trained_baselines(trained, task.folder, config.model_dump(mode="json"), seeds)


def human_normalised(fitness: float, baseline: dict[str, list[float]]) -> float | None:
    """(fitness − sparse) / abs(expert − sparse); None where a baseline is unknown or both agree."""
    if "expert" not in baseline or "sparse" not in baseline:
        return None
    expert, sparse = float(np.mean(baseline["expert"])), float(np.mean(baseline["sparse"]))
    return (fitness - sparse) / abs(expert - sparse) if expert != sparse else None


def confirmation(candidate: Candidate) -> list[float]:
    """Fitness on the confirmation seeds, in the order of the seeds."""
    return fitness_values(confirmations(candidate))


def winner(candidates: Sequence[Candidate], seeds: int) -> Candidate | None:
    """Among the confirmed the one with the best mean, or that people prefer; else the best of the
    search."""
    confirmed = [c for c in candidates if len(confirmation(c)) == seeds > 0]
    if confirmed and confirmed[0].worth is not None:
        return best_of(confirmed)
    if confirmed:
        return max(confirmed, key=lambda c: (float(np.mean(confirmation(c))), -c.number))
    return best_of(candidates)


def search_result(
    run: Run, best: Candidate, baseline: dict[str, list[float]], seeds: Sequence[int]
) -> dict[str, Any]:
    """The JSON that is stored with a finished search."""
    # A run that stopped at a limit may have confirmed some of the seeds: they are no interval.
    confirmed = confirmation(best) if len(confirmation(best)) == len(seeds) else []
    values = confirmed or fitness_values(search_evaluations(best))
    trained = [e for c in run.candidates for e in c.evaluations]
    first_tries = [c for c in run.candidates if c.repair == 0]
    executed = [c for c in first_tries if c.status in EXECUTED]
    cost = [c.cost for c in run.completions if c.cost is not None]
    mean = {name: float(np.mean(values)) for name, values in baseline.items()}
    return {
        "winner": best.number,
        **measures(values, baseline),
        "worth": best.worth,
        "confirmed": bool(confirmed),
        "confirmation": {str(c.number): confirmation(c) for c in run.candidates if confirmation(c)},
        "seeds": list(seeds),
        "expert": mean.get("expert"),
        "sparse": mean.get("sparse"),
        "candidates": len(run.candidates),
        "trainings": len(trained),
        "environment_steps": sum(int(e.report["steps"]) for e in trained)
        + sum(steps_until_pruned(run, c) for c in run.candidates if c.status == "pruned"),
        "execute_rate": len(executed) / len(first_tries) if first_tries else 0.0,
        "refused": sum(c.status == "refused" for c in run.candidates),
        "pruned": sum(c.status == "pruned" for c in run.candidates),
        "failed": sum(c.status == "failed" for c in run.candidates),
        "repaired": sum(c.repair > 0 and c.status in EXECUTED for c in run.candidates),
        "prompt_tokens": sum(c.prompt_tokens for c in run.completions),
        "completion_tokens": sum(c.completion_tokens for c in run.completions),
        "cost": sum(cost) if cost or not run.completions else None,
        "seconds": run.seconds,
        "model_used": bool(run.completions),
        "models": dict(Counter(c.completion.model for c in run.candidates if c.completion)),
    }


def measures(values: Sequence[float], baseline: dict[str, list[float]]) -> dict[str, float | None]:
    """Mean fitness with its interval, and the human-normalised score; None without a fitness."""
    if not values:
        return dict.fromkeys(("fitness", "low", "high", "human_normalised"))
    fitness = float(np.mean(values))
    low, high = interval(values)
    normalised = human_normalised(fitness, baseline)
    return {"fitness": fitness, "low": low, "high": high, "human_normalised": normalised}


def explain_failure(run: Run) -> str:
    """Why no candidate of a run was trained, by its most frequent reason."""
    reasons = [c.reason for c in run.candidates if c.reason]
    most = max(set(reasons), key=reasons.count) if reasons else "no candidate was proposed"
    return (
        f"run {run.id}: none of {len(run.candidates)} candidates could be trained; mostly: {most}"
    )
