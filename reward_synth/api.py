"""RewardSynth from Python: what the command line does, as functions.

import reward_synth

run = reward_synth.synthesize("cartpole-swingup", samples=4, iterations=2)
print(run.reward, run.result["human_normalised"], run.report)
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_synth.errors import RunError, UserError
from reward_synth.search import Observer, Progress, RunConfig, TrainConfig
from reward_synth.search.limits import Beyond, nothing_beyond
from reward_synth.store import Part, Store
from reward_synth.store.baselines import TRAINED

if TYPE_CHECKING:
    from reward_synth.report.comparison import Comparison
    from reward_synth.search.trainings import OpenPool


@dataclass(frozen=True)
class FinishedRun:
    """What a run left behind that finished, or stopped at a limit with something trained."""

    id: str
    folder: Path
    """``runs/RUN``."""
    result: dict[str, Any]
    """Winner, fitness with its 95 % interval, human-normalised score, and what the run took."""
    reward: str
    """Source of the winning reward program."""
    policy: Path
    """The policy that it trained (``safetensors``)."""
    report: Path
    """One self-contained HTML page."""
    stopped: str = ""
    """The limit that it stopped at, and its value; empty for a finished run."""
    limit: str = ""
    """The setting of that limit, as ``max_tokens``."""


def silent(progress: Progress) -> None:
    """Watch a run without saying anything."""


def synthesize(
    task: str | Path,
    *,
    model: str | Sequence[str] = "offline",
    samples: int = 6,
    iterations: int = 3,
    runs_dir: str | Path = "runs",
    observer: Observer = silent,
    **settings: Any,
) -> FinishedRun:
    """Search for a reward function for ``task`` and train a policy with it.

    Samples are spread over several ``model``s, more of them to those whose candidates score.
    ``settings`` are the other fields of :class:`reward_synth.search.RunConfig` (``steps``,
    ``seed``, ``base_url``, ``workers``, ``max_cost``, ``roles``, …).  Raises UserError for a
    mistake in the arguments, RunError when no candidate could be trained, and LimitError when a
    limit was reached before any was; a run that stopped later is given back with ``stopped``.
    """
    from pydantic import ValidationError

    models = (model,) if isinstance(model, str) else tuple(model)
    try:
        config = RunConfig(
            task=str(task), models=models, samples=samples, iterations=iterations, **settings
        )
    except ValidationError as error:
        raise UserError(explain(error)) from error
    return search(config, runs_dir=Path(runs_dir), observer=observer)


def explain(error: Any) -> str:
    """A pydantic ValidationError as one line."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    return f"setting {name!r}: {first['msg']} (given: {str(first.get('input'))[:60]!r})"


def search(
    config: RunConfig,
    *,
    runs_dir: Path,
    observer: Observer = silent,
    open_pool: "OpenPool | None" = None,
    part: Part | None = None,
    beyond: Beyond = nothing_beyond,
) -> FinishedRun:
    """Start a search, drive it to its end and write its report.

    ``open_pool`` gives it workers; those of the engine that ``config`` names if None.  ``part`` is
    which of a sweep's runs it is, and ``beyond`` a limit of more than this run.
    """
    from reward_synth.report.trackers import check_trackers, tracked
    from reward_synth.search import loop
    from reward_synth.search.trainings import open_pool_for
    from reward_synth.simulation.trial import check_functions
    from reward_synth.task import load_task

    check_trackers(config.trackers)
    check_functions(load_task(config.task))
    with opened(runs_dir) as store, tracked(store, config.trackers, observer) as following:
        run = loop.search(
            config,
            store=store,
            observer=following,
            open_pool=open_pool or open_pool_for,
            part=part,
            beyond=beyond,
        )
        return finished(store, run)


def resume(
    run_id: str,
    *,
    runs_dir: Path,
    observer: Observer = silent,
    open_pool: "OpenPool | None" = None,
    beyond: Beyond = nothing_beyond,
    **changes: Any,
) -> FinishedRun:
    """Go on with an interrupted or stopped run from where it was; a finished one is only reported.

    ``changes`` are new limits (``max_cost``, ``max_tokens``, ``max_hours``, ``max_failures``), more
    ``iterations`` (a finished run goes on too then), where its trainings are made (``engine``,
    ``ray_address``, ``workers``) and who is told (``trackers``), or the ``base_url`` again where
    that holds a user and password, which are never recorded.  ``open_pool`` gives it workers; those
    of the run's engine if None.  ``beyond`` is a limit of more than this run.
    """
    from pydantic import ValidationError

    from reward_synth.report.trackers import check_trackers, tracked
    from reward_synth.search import loop
    from reward_synth.search.trainings import open_pool_for

    with opened(runs_dir) as store:
        names = changes.get("trackers") or store.get_run(run_id).config.get("trackers", ())
        check_trackers(names)
        with tracked(store, names, observer) as following:
            try:
                run = loop.resume(
                    run_id,
                    store=store,
                    observer=following,
                    changes=changes,
                    open_pool=open_pool or open_pool_for,
                    beyond=beyond,
                )
            except ValidationError as error:
                raise UserError(explain(error)) from error
            return finished(store, run)


def train(
    task: str | Path,
    reward: str | Path,
    *,
    seeds: Sequence[int] = (100, 101, 102),
    steps: int | None = None,
    workers: int = 0,
    isolation: str = "strict",
    runs_dir: str | Path = "runs",
    observer: Observer = silent,
    **settings: Any,
) -> FinishedRun:
    """Train ``expert``, ``sparse``, ``native`` or a reward file on several seeds, without a search.

    ``settings`` are the other fields of :class:`reward_synth.search.TrainConfig` (``trainer``,
    ``algorithm``, ``parameters``, …).
    """
    from pydantic import ValidationError

    from reward_synth.report.trackers import check_trackers, tracked
    from reward_synth.search import plain
    from reward_synth.simulation.trial import check_functions
    from reward_synth.task import load_task

    loaded = load_task(task)
    check_functions(loaded)
    try:
        config = TrainConfig(
            task=str(task),
            reward=str(reward),
            seeds=tuple(seeds),
            steps=steps if steps is not None else loaded.training_steps,
            workers=workers,
            isolation=isolation,  # pyright: ignore[reportArgumentType] - pydantic checks it
            **settings,
        )
    except ValidationError as error:
        raise UserError(explain(error)) from error
    check_trackers(config.trackers)
    with (
        opened(Path(runs_dir)) as store,
        tracked(store, config.trackers, observer) as following,
    ):
        return finished(store, plain.train(config, store=store, observer=following))


def baseline_seeds(config: RunConfig) -> tuple[int, ...]:
    """The seeds that a search's result is measured on, and so are its baselines."""
    from reward_synth.search.config import search_seeds

    return config.confirmation_seeds or tuple(search_seeds(config.seed, config.seeds))


def missing_baselines(config: RunConfig, runs_dir: Path) -> list[str]:
    """Those of ``expert`` and ``sparse`` that are not measured yet as ``config`` trains."""
    from reward_synth.search.result import known_baselines
    from reward_synth.task import load_task

    task = load_task(config.task)
    if task.fitness is None:
        return []
    with opened(runs_dir) as store:
        known = known_baselines(store, task, config, baseline_seeds(config))
    return [name for name in ("expert", "sparse") if name not in known]


def train_baseline(
    config: RunConfig, reward: str, *, runs_dir: Path, observer: Observer = silent
) -> FinishedRun:
    """Train one of the task's own rewards as ``config`` trains its winner."""
    same = ("workers", "isolation", "engine", "ray_address", *TRAINED)
    settings = config.model_dump(include=set(same) - {"steps"})
    return train(
        config.task,
        reward,
        seeds=baseline_seeds(config),
        steps=config.steps,
        runs_dir=runs_dir,
        observer=observer,
        **settings,
    )


def compare(
    *runs: str,
    task: str | None = None,
    runs_dir: str | Path = "runs",
    page: str | Path | None = None,
) -> "list[Comparison]":
    """Compare recorded runs (ids, or beginnings of them) and all finished searches on ``task``.

    One comparison for each task, its rows best first; ``document()`` gives them as JSON.  ``page``
    is where to write the HTML page with the plots; none is written if None.  Raises UserError for
    unknown or ambiguous names, a task without a finished search, or a folder without runs.
    """
    from reward_synth.report.comparison import compare_recorded
    from reward_synth.report.comparison_page import write_comparison
    from reward_synth.store.runs import DATABASE

    folder = Path(runs_dir)
    if not (folder / DATABASE).is_file():
        raise UserError(f"there are no runs in {folder}")
    with opened(folder) as store:
        compared = compare_recorded(store, runs, task)
        if page is not None:
            write_comparison(store, compared, Path(page))
        return compared


@contextmanager
def opened(runs_dir: Path) -> Iterator[Store]:
    store = Store.open(runs_dir)
    try:
        yield store
    finally:
        store.close()


def finished(store: Store, run_id: str) -> FinishedRun:
    """Write the report of a finished or stopped run and tell where everything is."""
    from reward_synth.report import write_report

    run = store.get_run(run_id)
    if run.result is None:
        raise RunError(f"run {run_id} has no result yet; go on with --resume {run_id}")
    folder = store.run_folder(run_id)
    report = write_report(store, run_id)
    best = next(c for c in run.candidates if c.number == run.result["winner"])
    return FinishedRun(
        id=run_id,
        folder=folder,
        result=run.result,
        reward=best.source,
        policy=folder / "best" / "policy.safetensors",
        report=report,
        stopped=run.message if run.status == "stopped" else "",
        limit=run.result.get("stopped", {}).get("limit", ""),
    )
