"""Which settings of a run are recorded, which a resumed run may change, and taking it up again."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from reward_synth.errors import UserError
from reward_synth.redaction import HIDDEN_USER, recorded_url
from reward_synth.search.config import RunConfig
from reward_synth.search.limits import LIMITS
from reward_synth.search.progress import Observer, Progress
from reward_synth.store import Store, restore_files
from reward_synth.store.schema import Run

PLACE = ("engine", "ray_address", "workers", "trackers")
"""Settings that say where trainings are made and who is told, which no score depends on."""


def recorded(config: RunConfig) -> RunConfig:
    """The settings as they may be stored: without the user and password of a server."""
    url = config.base_url
    return config.model_copy(update={"base_url": None if url is None else recorded_url(url)})


def changed(run: Run, changes: Mapping[str, Any]) -> RunConfig:
    """The settings of a run with those that may change.  Raises UserError."""
    allowed = {*LIMITS, *PLACE, "base_url", "iterations"}
    if other := sorted(set(changes) - allowed):
        raise UserError(f"a resumed run keeps its {', '.join(other)}")
    before, now = run.config["iterations"], changes.get("iterations", run.config["iterations"])
    if now < before:
        raise UserError(
            f"run {run.id} was to have --iterations {before}, not {now}; they may only rise: "
            "`reward-synth feedback RUN --stop` ends a run earlier"
        )
    url, kept = changes.get("base_url"), run.config.get("base_url")
    if url is not None and (kept is None or recorded_url(url) != kept):
        raise UserError(
            f"run {run.id} was started with --base-url {kept}, not {recorded_url(url)}; "
            "start a new run for another server"
        )
    if url is None and kept is not None and f"://{HIDDEN_USER}@" in kept:
        raise UserError(
            f"the user and password of the server of run {run.id} are not recorded; "
            "give its whole --base-url again"
        )
    return RunConfig.model_validate({**run.config, **changes})


def reopen(
    run_id: str, *, store: Store, observer: Observer, config: BaseModel | None = None
) -> None:
    """Make an unfinished run, whose lock is held, ready to go on.

    ``config`` are its settings with other limits.  Damaged files are written anew; trainings whose
    policies are damaged or gone are made again.
    """
    store.reopen_run(run_id, config)
    for evaluation in restore_files(store, run_id):
        path = store.run_folder(run_id) / evaluation.policy
        message = f"{path} is damaged or gone: that training is made again"
        observer(Progress("damaged", run_id, seed=evaluation.seed, message=message))
