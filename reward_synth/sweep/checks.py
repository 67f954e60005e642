"""Everything about a sweep's runs that can be known before the first one starts."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from reward_synth.errors import UserError
from reward_synth.evaluation import TrainerChoice
from reward_synth.llm import connect
from reward_synth.llm.connect import REPLAY, REPLAY_ANYWAY, SERVED, served_at
from reward_synth.search import RunConfig, TrainConfig
from reward_synth.search.building import ASKED, check_options, strategy_name
from reward_synth.search.config import search_seeds
from reward_synth.search.limits import check_limits
from reward_synth.search.roles import OFFLINE, check_models
from reward_synth.search.trainings import check_trainer
from reward_synth.sweep.plan import (
    ASKS_SOMEBODY,
    SHARED,
    Cell,
    Plan,
    expand,
    key_of,
    read_file,
)
from reward_synth.sweep.reading import Written, read_yaml
from reward_synth.task import Task, baselines, list_tasks, load_task

SPELLED = {"--no-prune": "rungs: []", "--select preference": "select: preference"}
"""Options of the command line that a file spells otherwise than by their names."""


def read_plan(path: Path) -> Plan:
    """The sweep that a file asks for, every run of it checked.

    Raises UserError, with file, line and what to do, for the first mistake.
    """
    written = read_yaml(path)
    file = read_file(written)
    name = file.name or path.stem
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name) is None:
        raise written.mistake((), f"{name!r} cannot name a folder; give the sweep a name: in it")
    check = Checks(path.absolute().parent)
    cells: dict[str, Cell] = {}
    for cell in expand(written, file):
        try:
            checked = check(cell)
        except UserError as error:
            raise written.mistake(cell.place, f"{cell.label}: {as_written(str(error))}") from None
        if checked.key in cells:
            raise written.mistake(
                cell.place,
                f"the same run is asked for twice: {cell.label}; workers, isolation and limits do "
                "not make it another one",
            )
        cells[checked.key] = checked
    given = [limit for limit in SHARED if getattr(file, limit) is not None]
    for limit in given:
        check_shared(written, limit, list(cells.values()))
    if file.baselines:
        cells |= {cell.key: cell for cell in baseline_cells(cells.values(), check.task)}
    return Plan(
        name=name,
        cells=tuple(sorted(cells.values(), key=lambda cell: cell.kind == "search")),
        at_once=file.at_once,
        workers=file.workers,
        **{limit: getattr(file, limit) for limit in SHARED},
    )


def as_written(message: str) -> str:
    """A message about options of the command line in the words of a file."""
    for option, spelled in SPELLED.items():
        message = message.replace(option, spelled)
    return re.sub(r"--([a-z][a-z-]*)", lambda found: found[1].replace("-", "_"), message)


class Checks:
    """Looks a search's task, files and models up, each once."""

    def __init__(self, beside: Path) -> None:
        """Paths in the file start from ``beside``, its folder."""
        self.beside = beside
        self.task: Callable[[str], Task] = cache(self._task)
        self.model: Callable[[str, str | None], None] = cache(self._model)

    def __call__(self, cell: Cell) -> Cell:
        """The cell as it will run.  Raises UserError."""
        config = cell.config
        assert isinstance(config, RunConfig)
        task = self.task(config.task)
        changes: dict[str, Any] = {
            "task": str(task.folder.absolute()),
            "steps": config.steps or task.training_steps,
            "models": tuple(self.located(model) for model in config.models),
            "roles": {
                role: own.model_copy(update={"model": own.model and self.located(own.model)})
                for role, own in config.roles.items()
            },
            "start": None if config.start is None else self.program(config.start),
        }
        changes["model"] = changes["models"][0]
        config = config.model_copy(update=changes)
        check_limits(config)
        check_options(config)
        name = strategy_name(config)
        check_models(config, ASKED[name])
        check_trainer(task, config)
        check_seeds(config)
        own = [role.model for role in config.roles.values() if role.model is not None]
        for model in (*config.models, *own):
            self.model(model, None if model in own else config.base_url)
        config = config.model_copy(update={"strategy": name})
        return replace(cell, key=key_of(config), config=config, task=task.name)

    def _task(self, name: str) -> Task:
        own = self.beside / Path(name).expanduser()
        return load_task(own if name not in list_tasks() and own.exists() else name)

    def located(self, model: str) -> str:
        """A model's name, a recording's with its whole path."""
        for prefix in (REPLAY, REPLAY_ANYWAY):
            if model.startswith(prefix):
                return prefix + str(self.beside / Path(model.removeprefix(prefix)).expanduser())
        return model

    def program(self, path: str) -> str:
        """The source of a reward program."""
        from reward_synth.reward.source import read_program

        return read_program(self.beside / Path(path).expanduser())

    def _model(self, model: str, base_url: str | None) -> None:
        """Raises UserError for a model that cannot be asked, as far as is known without asking."""
        if model == "manual":
            raise UserError(f"model manual: {ASKS_SOMEBODY}")
        if model == OFFLINE:
            return
        if model.startswith((REPLAY, REPLAY_ANYWAY)):
            connect(model)
        elif base_url is not None or SERVED.fullmatch(model):
            served_at(model, base_url)
        else:
            from reward_synth.llm.providers import check_key, check_name, quiet_litellm

            litellm = quiet_litellm()
            check_name(model, litellm)
            check_key(model, litellm)


def check_seeds(config: RunConfig) -> None:
    """Raises UserError where finalists would be confirmed on seeds that the search has seen."""
    seen = sorted(set(search_seeds(config.seed, config.seeds)) & set(config.confirmation_seeds))
    if config.finalists and seen:
        raise UserError(
            f"the search trains with seed {seen[0]}, which is one of confirmation_seeds "
            f"{list(config.confirmation_seeds)}; choose others"
        )


def check_shared(written: Written, limit: str, cells: Sequence[Cell]) -> None:
    """Raises UserError for a limit of the sweep that has no effect, or cannot be kept."""
    if limit == "max_hours":
        return
    configs = [cell.config for cell in cells if isinstance(cell.config, RunConfig)]
    asking = [config for config in configs if config.models != (OFFLINE,)]
    if not asking:
        raise written.mistake(
            (limit,), f"{limit} limits what language models take, and none is asked; use max_hours"
        )
    served = [c for c in asking if c.base_url is not None or any(map(SERVED.fullmatch, c.models))]
    if limit == "max_cost" and served:
        raise written.mistake(
            (limit,),
            f"model {served[0].model!r} has no known price, so max_cost cannot be kept; use "
            "max_tokens",
        )


def baseline_cells(cells: Iterable[Cell], load: Callable[[str], Task]) -> list[Cell]:
    """Trainings of expert and sparse reward as long and on the seeds that the winners' are.

    Left out where a task's own folder knows both for that budget.
    """
    made: dict[str, Cell] = {}
    for cell in cells:
        config = cell.config
        assert isinstance(config, RunConfig) and config.steps is not None
        measured = baselines(load(config.task))
        known = [name for name, found in measured.items() if found.steps == config.steps]
        if not config.confirmation_seeds or (
            len(known) == len(OWN_REWARDS) and config.choice == TrainerChoice()
        ):
            continue
        for reward in OWN_REWARDS:
            own = TrainConfig(
                task=config.task,
                reward=reward,
                seeds=config.confirmation_seeds,
                steps=config.steps,
                **{name: getattr(config, name) for name in ALIKE},
            )
            label = f"{cell.task} · {reward} reward"
            key = key_of(own)
            made.setdefault(key, Cell(key, own, cell.task, f"{reward} reward", label, cell.place))
    return list(made.values())


OWN_REWARDS = ("expert", "sparse")
ALIKE = (
    "device", "environments", "trainer", "algorithm", "parameters", "evaluation_episodes",
    "isolation",
)  # fmt: skip
"""How baselines are trained: as the search's finalists."""
