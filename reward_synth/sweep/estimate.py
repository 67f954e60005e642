"""What a sweep will take, before it starts: trainings, steps, tokens, cost and hours.

Each figure says what it rests on; what cannot be known is not guessed.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reward_synth.evaluation import WorkerPool, cores, guess, keep_at
from reward_synth.evaluation.layout import cache_file, fingerprint, read_cache, try_layout
from reward_synth.llm.connect import REPLAY, REPLAY_ANYWAY, SERVED
from reward_synth.report.tables import facts
from reward_synth.search import RunConfig, TrainConfig
from reward_synth.search.generations import may_prune
from reward_synth.search.roles import OFFLINE
from reward_synth.store import Run, Store
from reward_synth.store.ledger import load_ledgers
from reward_synth.sweep.plan import Cell, Plan
from reward_synth.task import Task, load_task

PROMPT_TOKENS = 1000
COMPLETION_TOKENS = 810
"""For each candidate: the mean over the 72 of the six searches in examples/recordings."""
HOUR = 3600.0


@dataclass(frozen=True)
class Estimate:
    """What the runs that are not finished will take together."""

    runs: int
    trainings: int
    """That begin; the weak ones of a generation are not trained to the end."""
    steps: int
    """Environment steps if each rung drops half, ..."""
    most_steps: int
    """... and if none drops anybody."""
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """US dollars at list prices; None where a model's price is not known."""
    hours: float | None
    """Of training; None where no task's speed is known."""
    bases: list[str]
    """What the figures rest on, in sentences."""

    def document(self) -> dict[str, Any]:
        """The estimate as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Work:
    """Trainings and environment steps of one run."""

    trainings: int
    steps: float
    most_steps: int


def work_of(cell: Cell) -> Work:
    """What a run does if all its candidates pass the gate."""
    config = cell.config
    if not isinstance(config, RunConfig):
        whole = len(config.seeds) * config.steps
        return Work(len(config.seeds), whole, whole)
    assert config.steps is not None
    trainings, steps = 0, 0.0
    for generation in range(config.iterations):
        candidates = config.samples + (config.tune if generation else 0)
        trainings += candidates * config.seeds
        steps += _halved(candidates, config) * config.seeds * config.steps
    finalists = min(config.finalists, config.samples * config.iterations)
    confirmed = finalists * len(config.confirmation_seeds)
    return Work(
        trainings + confirmed,
        steps + confirmed * config.steps,
        (trainings + confirmed) * config.steps,
    )


def _halved(candidates: int, config: RunConfig) -> float:
    """Whole trainings that a generation's ones come to, where each rung drops half."""
    taken, before, going_on = 0.0, 0.0, candidates
    for rung, share in enumerate(sorted(config.rungs) if may_prune(config) else ()):
        taken += going_on * (share - before)
        before, going_on = share, min(going_on, keep_at(rung, candidates))
    return taken + going_on * (1.0 - before)


def estimate(plan: Plan, cells: Sequence[Cell], store: Store | None) -> Estimate:
    """What ``cells`` of a plan will take; ``store`` holds what was recorded before, if anything.

    Trains for some seconds where nothing is known of a task's speed on this machine.
    """
    recorded = [] if store is None else _ledgers(store)
    works = [work_of(cell) for cell in cells]
    bases: list[str] = []
    prompt, completion, cost = _model(cells, recorded, bases)
    return Estimate(
        runs=len(cells),
        trainings=sum(work.trainings for work in works),
        steps=round(sum(work.steps for work in works)),
        most_steps=sum(work.most_steps for work in works),
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=cost,
        hours=_hours(plan, cells, works, recorded, bases),
        bases=bases,
    )


def _ledgers(store: Store) -> list[Run]:
    return load_ledgers(store, [run.id for run in store.list_runs() if run.status == "finished"])


# --- the model -------------------------------------------------------------------------------


def _model(
    cells: Sequence[Cell], recorded: Sequence[Run], bases: list[str]
) -> tuple[int, int, float | None]:
    """Tokens of prompts and of completions, and their price."""
    prompts = completions = 0.0
    cost: float | None = 0.0
    unknown: dict[str, None] = {}
    for cell in cells:
        config = cell.config
        if not isinstance(config, RunConfig) or config.models == (OFFLINE,):
            continue
        asked = [m for m in config.models if not m.startswith((REPLAY, REPLAY_ANYWAY))]
        if not asked:
            _add(bases, "Recordings take no tokens.")
            continue
        each, basis = _tokens_each(config, recorded)
        _add(bases, basis)
        candidates = config.samples * config.iterations
        tokens = (candidates * each[0], candidates * each[1])
        prompts, completions = prompts + tokens[0], completions + tokens[1]
        for model in asked:
            price = None if config.base_url is not None else _price(model, tokens, len(asked))
            if price is None:
                unknown[model] = None
            elif cost is not None:
                cost += price
    if unknown:
        _add(bases, f"No price is known of {', '.join(unknown)}.")
        cost = None
    return round(prompts), round(completions), cost


def _tokens_each(config: RunConfig, recorded: Sequence[Run]) -> tuple[tuple[float, float], str]:
    """Tokens of a prompt and of a completion for each candidate, and what says so."""
    asking = [run for run in recorded if any(c.completion_id for c in run.candidates)]
    same = [run for run in asking if run.config.get("strategy") == config.strategy]
    own = [run for run in same if set(run.config.get("models") or ()) & set(config.models)]
    for runs, whose in (
        (own, f"{config.strategy} with {config.model}"),
        (same, f"{config.strategy} with other models"),
    ):
        if runs:
            written = sum(c.completion_id is not None for run in runs for c in run.candidates)
            answers = [answer for run in runs for answer in run.completions]
            each = (
                sum(answer.prompt_tokens for answer in answers) / written,
                sum(answer.completion_tokens for answer in answers) / written,
            )
            count = f"{len(runs)} recorded run{'s' if len(runs) > 1 else ''}"
            return each, f"Tokens: as in {count} of {whose}."
    return (PROMPT_TOKENS, COMPLETION_TOKENS), (
        f"Tokens: assumed {PROMPT_TOKENS:,} of prompt and {COMPLETION_TOKENS:,} of completion for "
        f"each candidate, as no run of {config.strategy} is recorded."
    )


def _price(model: str, tokens: tuple[float, float], sharing: int) -> float | None:
    """What a model's share of the tokens costs at list prices."""
    if SERVED.fullmatch(model):
        return None
    from reward_synth.llm.providers import token_price

    found = token_price(model)(_Usage(*(round(count / sharing) for count in tokens)))
    return None if found is None else sum(found)


@dataclass(frozen=True)
class _Usage:
    prompt_tokens: int
    completion_tokens: int


# --- time ------------------------------------------------------------------------------------


def _hours(
    plan: Plan,
    cells: Sequence[Cell],
    works: Sequence[Work],
    recorded: Sequence[Run],
    bases: list[str],
) -> float | None:
    """Hours of training, by the speed of each task; None where one of them cannot be told."""
    by_task: dict[str, list[int]] = {}
    for k, cell in enumerate(cells):
        by_task.setdefault(cell.config.task, []).append(k)
    seconds = 0.0
    for folder, places in by_task.items():
        configs = [cells[k].config for k in places]
        task = load_task(folder)
        speed, basis = _speed(task, configs[0], plan.workers or cores(), recorded)
        if configs[0].trainer == "sb3":
            basis += ", of the population trainer"
        _add(bases, f"{task.name}: {basis}.")
        if speed is None:
            return None
        seconds += sum(works[k].steps for k in places) / speed
    return seconds / HOUR


def _speed(
    task: Task, config: RunConfig | TrainConfig, workers: int, recorded: Sequence[Run]
) -> tuple[float | None, str]:
    """Environment steps each second, and where that is known from."""
    own = [
        run
        for run in recorded
        if run.task_folder == str(task.folder.absolute())
        and run.config.get("device", "cpu") == config.device
        and run.seconds > 0
        and facts(run).environment_steps > 0
    ]
    if own:
        taken = sum(facts(run).environment_steps for run in own)
        speed = taken / sum(run.seconds for run in own)
        count = f"{len(own)} recorded run{'s' if len(own) > 1 else ''}"
        return speed, f"{speed:,.0f} steps/s over the whole of {count}"
    if config.device != "cpu":
        return None, f"no run on {config.device} is recorded, so its speed is not known"
    known = read_cache(cache_file()).get(fingerprint(task, workers), {}).get("steps_per_second")
    if known:
        return known, f"{known:,.0f} steps/s when its layout was measured on this machine"
    with WorkerPool(task.folder, workers, config.isolation, ("train",)) as pool:
        tried = try_layout(task, pool, guess(workers))
    speed = tried.steps_per_second
    if not speed:
        return None, "its speed could not be measured"
    return speed, f"{speed:,.0f} steps/s, measured just now"


def _add(bases: list[str], basis: str) -> None:
    if basis not in bases:
        bases.append(basis)
