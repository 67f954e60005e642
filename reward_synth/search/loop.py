"""A search is started, or taken up again, and driven to its end or to a limit.

Every step is committed before the next one starts and is derived from what is committed, so a
killed run goes on from the database with nothing lost and nothing trained twice.  A limit ends it
between steps, so that a stopped run goes on in the same way.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reward_synth.errors import LimitError, RunError, UserError
from reward_synth.search.building import build_strategy, strategy_name, suited
from reward_synth.search.config import RunConfig
from reward_synth.search.generations import Search
from reward_synth.search.limits import Beyond, check_limits, nothing_beyond
from reward_synth.search.person import stopped_by_word
from reward_synth.search.progress import Observer, Progress
from reward_synth.search.pulse import pulse
from reward_synth.search.resumption import PLACE, changed, recorded, reopen
from reward_synth.search.roles import SoFar, desk
from reward_synth.search.trainings import OpenPool, check_trainer, open_pool_for
from reward_synth.store import Part, Store
from reward_synth.task import load_task


def search(
    config: RunConfig,
    *,
    store: Store,
    observer: Observer,
    open_pool: OpenPool = open_pool_for,
    part: Part | None = None,
    beyond: Beyond = nothing_beyond,
) -> str:
    """Start a search and drive it to its end; gives the run's id.

    Raises UserError for the user's mistakes, before anything is recorded where possible, RunError
    when no candidate could be trained, and LimitError when a limit was reached before any was.
    """
    check_limits(config)
    task = load_task(config.task)
    config = suited(task, config)
    steps = config.steps or task.training_steps
    places = {"task": str(task.folder.absolute()), "strategy": strategy_name(config)}
    if config.record is not None:
        places["record"] = str(Path(config.record).absolute())
    settings = config.model_copy(update={"steps": steps, **places})
    check_trainer(task, settings)
    so_far = SoFar(desk=desk(observer))
    strategy = build_strategy(task, settings, so_far, store)
    run_id = store.create_run("search", task, recorded(settings), part)
    so_far.desk.folder = store.run_folder(run_id)
    with store.lock(run_id), pulse(store, run_id, observer) as observer:
        observer(Progress("started", run_id))
        drive(Search(store, run_id, task, settings, strategy, observer, open_pool, beyond))
    return run_id


def resume(
    run_id: str,
    *,
    store: Store,
    observer: Observer,
    changes: Mapping[str, Any] | None = None,
    open_pool: OpenPool = open_pool_for,
    beyond: Beyond = nothing_beyond,
) -> str:
    """Go on with a run that was interrupted or stopped; a finished one is left as it is, unless
    it is to have more generations.

    ``changes`` are its new limits, its ``iterations`` if there are to be more, where its trainings
    are made (``engine``, ``ray_address``, ``workers``), and its ``base_url`` where that holds a
    user and password.
    Raises UserError, and leaves the run alone, while another process is at it.
    """
    changes = {n: value for n, value in (changes or {}).items() if value is not None}
    with store.lock(run_id):  # which restores what a report that was killed left half-written
        run = store.get_run(run_id)
        more = "iterations" in changes and changes["iterations"] != run.config.get("iterations")
        if run.status == "finished" and not more:
            return run_id
        if run.kind == "train":
            if not set(changes) <= set(PLACE):
                raise UserError(
                    f"run {run_id} is a plain training, in which nothing may change but where it "
                    "is made and who is told"
                )
            from reward_synth.search.plain import continue_training

            return continue_training(
                run, changes, store=store, observer=observer, open_pool=open_pool
            )
        task = load_task(run.task_folder)
        settings = changed(run, changes)
        check_limits(settings)
        if more and stopped_by_word(store.judgements(run_id)):
            raise UserError(
                f"run {run_id} was ended by a person's word; "
                f"say that it shall go on (`reward-synth feedback {run_id}`, done) before"
            )
        so_far = SoFar(run.completions, resumed=True, desk=desk(observer))
        so_far.desk.folder = store.run_folder(run_id)
        strategy = build_strategy(task, settings, so_far, store)
        reopen(run_id, store=store, observer=observer, config=recorded(settings))
        trained = sum(len(c.evaluations) for c in store.candidates(run_id))
        with pulse(store, run_id, observer) as observer:
            observer(Progress("resumed", run_id, message=f"{trained} trainings are already done"))
            drive(Search(store, run_id, task, settings, strategy, observer, open_pool, beyond))
    return run_id


def drive(run: Search) -> None:
    """Drive a run, whose lock is held, to its end or to a limit."""
    reached: LimitError | None = None
    try:
        run.to_end()
    except LimitError as error:
        reached = error
        run.settle()
    except RunError as error:
        run.store.fail_run(run.id, str(error))
        raise
    finally:
        run.keep_time()
    if reached is None:
        run.finish()
    else:
        run.stop(reached)
