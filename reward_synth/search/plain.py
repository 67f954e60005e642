"""A plain training as a run of its own: one reward program on several seeds."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reward_synth.errors import RunError, UserError
from reward_synth.evaluation import Gate, errors
from reward_synth.search.config import TrainConfig
from reward_synth.search.progress import Observer, Progress
from reward_synth.search.pulse import pulse
from reward_synth.search.result import known_baselines, measures
from reward_synth.search.resumption import reopen
from reward_synth.search.trainings import (
    OpenPool,
    Trainer,
    Training,
    check_trainer,
    open_pool_for,
    worker_count,
)
from reward_synth.store import NewCandidate, Part, Store, write_best
from reward_synth.store.fates import fitness_values, fittest
from reward_synth.store.schema import Run
from reward_synth.task import TASKS_OWN, Task, load_task, reward_source


def train(
    config: TrainConfig,
    *,
    store: Store,
    observer: Observer,
    open_pool: OpenPool = open_pool_for,
    part: Part | None = None,
) -> str:
    """Train a reward program on the seeds of ``config``; gives the run's id.

    Raises UserError when the program does not pass the gate and RunError when a training failed.
    """
    task = load_task(config.task)
    if config.reward == "native" and not (task.folder / "expert_reward.py").is_file():
        # Where nobody wrote an expert program it is the expert baseline, and recorded as that.
        config = config.model_copy(update={"reward": "expert"})
    proposed = proposal(task, config.reward)
    settings = config.model_copy(update={"task": str(task.folder.absolute())})
    check_trainer(task, settings)
    run_id = store.create_run("train", task, settings, part)
    with store.lock(run_id):
        store.record_proposals(run_id, 0, [proposed])
        observer(Progress("started", run_id))
        run = store.get_run(run_id)
        return continue_training(run, store=store, observer=observer, open_pool=open_pool)


def proposal(task: Task, reward: str) -> NewCandidate:
    """The only candidate of a plain training.  Raises UserError."""
    origin = reward if reward in TASKS_OWN else "file"
    return NewCandidate(slot=0, source=read_reward(task, reward), origin=origin)


def read_reward(task: Task, reward: str) -> str:
    """The source of ``expert``, ``sparse``, ``native`` or a file.  Raises UserError."""
    if reward == "expert" or reward == "sparse" or reward == "native":
        return reward_source(task, reward)
    from reward_synth.reward import read_program

    return read_program(Path(reward))


def continue_training(
    run: Run,
    changes: Mapping[str, Any] | None = None,
    *,
    store: Store,
    observer: Observer,
    open_pool: OpenPool = open_pool_for,
) -> str:
    """Gate the program and do those trainings that are not recorded yet; the run is locked.

    ``changes`` are settings of where they are made.
    """
    task = load_task(run.task_folder)
    config = TrainConfig.model_validate({**run.config, **(changes or {})})
    reopen(run.id, store=store, observer=observer, config=config)
    with pulse(store, run.id, observer) as observer:
        train_missing(run, task, config, store=store, observer=observer, open_pool=open_pool)
        finish(run.id, task, config, store=store, observer=observer)
    return run.id


def train_missing(
    run: Run,
    task: Task,
    config: TrainConfig,
    *,
    store: Store,
    observer: Observer,
    open_pool: OpenPool,
) -> None:
    """The gate, and the trainings that are not recorded yet.  Raises UserError for a refusal."""
    if not store.candidates(run.id):  # it was killed before its reward was recorded
        store.record_proposals(run.id, 0, [proposal(task, config.reward)])
    start = time.monotonic()
    workers = min(worker_count(config), len(config.seeds))
    try:
        with open_pool(task.folder, config, workers) as pool:
            pool.warm()
            candidate = store.candidates(run.id)[0]
            if candidate.status == "proposed":
                own = candidate.origin in TASKS_OWN
                verdict = Gate(task, pool, own=own).judge([candidate.source])[0]
                faults = errors(verdict.findings)
                status = "refused" if faults else "accepted"
                reason = faults[0].message if faults else ""
                store.set_gate_verdict(candidate, status, reason, verdict.findings)
                if faults:
                    where = f"line {faults[0].line}: " if faults[0].line else ""
                    message = f"{config.reward}: {where}{reason}; `reward-synth check` tells more"
                    store.fail_run(run.id, message)
                    raise UserError(message)
            elif candidate.status == "refused":
                raise UserError(f"{config.reward}: {candidate.reason}")
            trainer = Trainer(
                store,
                run.id,
                task,
                pool,
                steps=config.steps,
                episodes=config.evaluation_episodes,
                observer=observer,
                choice=config.choice,
                measure=config.engine == "local",
            )
            done = {e.seed for e in candidate.evaluations}
            trainer.carry_out(
                [Training(candidate, s, "confirm") for s in config.seeds if s not in done]
            )
    finally:
        store.add_seconds(run.id, time.monotonic() - start)


def finish(
    run_id: str, task: Task, config: TrainConfig, *, store: Store, observer: Observer
) -> None:
    """Record mean and interval over the seeds, and keep the best policy."""
    run = store.get_run(run_id)
    candidate = run.candidates[0]
    trained = {e.seed: e for e in candidate.evaluations}
    missing = [seed for seed in config.seeds if seed not in trained]
    if missing:
        message = f"run {run_id}: training failed for seed {', '.join(map(str, missing))}"
        store.fail_run(run_id, message)
        raise RunError(message)
    values = fitness_values([trained[seed] for seed in config.seeds])
    baseline = known_baselines(store, task, config, config.seeds)
    result: dict[str, Any] = {
        "winner": candidate.number,
        **measures(values, baseline),
        "seeds": list(config.seeds),
        "fitness_per_seed": values,
        "steps": config.steps,
        "trainings": len(trained),
        "seconds": run.seconds,
    }
    best = fittest(candidate.evaluations)
    write_best(store.run_folder(run_id), candidate, best, result)
    store.finish_run(run_id, result)
    observer(Progress("finished", run_id, candidate=candidate.number, fitness=result["fitness"]))
