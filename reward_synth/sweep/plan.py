"""From a sweep's file to its runs: a grid, a list, or both multiplied.

settings: {iterations: 2}                # of every run
runs: [{strategy: offline}, {model: …}]  # one of these at a time …
grid: {task: […], seed: [0, 1]}          # … with each combination of these
"""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reward_synth.errors import UserError
from reward_synth.search import RunConfig, TrainConfig
from reward_synth.search.limits import LIMITS
from reward_synth.search.resumption import recorded
from reward_synth.sweep.reading import Place, Written

MOST_CELLS = 10_000
NO_MATTER = {"workers", "isolation", "cache", *LIMITS}
"""Settings that change no score: a run that differs in them alone is the same run."""
OF_THE_SWEEP = {"workers": "runs share the machine: write workers once, at the top level"}
"""Settings of a run that stand elsewhere in a sweep."""
ASKS_SOMEBODY = "a sweep runs by itself, and this waits for a person: leave it out"


class SweepFile(BaseModel):
    """What a sweep's file may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    """Of the sweep, and of its folder; the file's name if None."""
    settings: dict[str, Any] = {}
    """Fields of RunConfig that hold for every run."""
    grid: dict[str, list[Any]] = {}
    """Fields of RunConfig with the values that each takes."""
    runs: list[dict[str, Any]] = []
    """Fields of RunConfig that belong together; each entry is multiplied with the grid."""
    baselines: bool = True
    """Whether expert and sparse rewards are trained alike, which human-normalised scores need."""
    at_once: int = Field(default=0, ge=0, le=256)
    """Runs under way at the same time; 0 means two for each worker."""
    workers: int = Field(default=0, ge=0, le=1024)
    """Jobs at the same time over all runs; 0 means one for each core."""
    max_cost: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    """US dollars for all runs together, ..."""
    max_tokens: int | None = Field(default=None, ge=1)
    """... tokens ..."""
    max_hours: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    """... and wall-clock of the sweep."""


@dataclass(frozen=True)
class Cell:
    """One run of a sweep."""

    key: str
    """Says which run it is, by all that can change its scores."""
    config: RunConfig | TrainConfig
    task: str
    """Name of the task, for people."""
    method: str
    """What sets it apart but task and seed; of a baseline, the reward."""
    label: str
    place: Place = ()
    """Where the file asks for it."""

    @property
    def kind(self) -> Literal["search", "train"]:
        return "search" if isinstance(self.config, RunConfig) else "train"

    @property
    def seed(self) -> int | None:
        return self.config.seed if isinstance(self.config, RunConfig) else None


@dataclass(frozen=True)
class Plan:
    """A sweep: its runs, and what it may take."""

    name: str
    cells: tuple[Cell, ...]
    at_once: int
    workers: int
    max_cost: float | None
    max_tokens: int | None
    max_hours: float | None

    def document(self) -> dict[str, Any]:
        """The plan as JSON, without the user and password of a server."""
        return {
            "cells": [
                {
                    "kind": cell.kind,
                    "config": _stored(cell.config).model_dump(mode="json"),
                    **{name: getattr(cell, name) for name in ("key", "task", "method", "label")},
                }
                for cell in self.cells
            ],
            **{name: getattr(self, name) for name in (*SHARED, "at_once", "workers")},
        }


SHARED = ("max_cost", "max_tokens", "max_hours")
"""Limits of a whole sweep."""


def plan_of(name: str, document: Mapping[str, Any]) -> Plan:
    """The plan that was recorded under a name."""
    cells = [
        Cell(
            config=(RunConfig if told["kind"] == "search" else TrainConfig).model_validate(
                told["config"]
            ),
            **{name: told[name] for name in ("key", "task", "method", "label")},
        )
        for told in document["cells"]
    ]
    rest = {name: document[name] for name in (*SHARED, "at_once", "workers")}
    return Plan(name=name, cells=tuple(cells), **rest)


def _stored(config: RunConfig | TrainConfig) -> RunConfig | TrainConfig:
    return recorded(config) if isinstance(config, RunConfig) else config


# --- reading ---------------------------------------------------------------------------------


def read_file(written: Written) -> SweepFile:
    """The file as a value.  Raises UserError."""
    if not isinstance(written.value, dict):
        raise written.mistake((), "a sweep is a mapping: settings, grid, runs, …")
    try:
        file = SweepFile.model_validate(written.value)
    except ValidationError as error:
        raise _explained(written, error, (), SweepFile) from None
    for place, name in _names(file):
        _check_name(written, place, name)
    for name, values in file.grid.items():
        if not values:
            raise written.mistake(("grid", name), f"{name} has no value: there is nothing to run")
        if name in file.settings:
            raise written.mistake(
                ("settings", name), f"{name} stands in settings and in grid: leave one out"
            )
    for k, entry in enumerate(file.runs):
        if twice := sorted(set(entry) & set(file.grid)):
            raise written.mistake(
                ("runs", k, twice[0]), f"{twice[0]} stands in runs and in grid: leave one out"
            )
    return file


def _names(file: SweepFile) -> Iterator[tuple[Place, str]]:
    """All names of settings, with their places."""
    yield from ((("settings", name), name) for name in file.settings)
    yield from ((("grid", name), name) for name in file.grid)
    for k, entry in enumerate(file.runs):
        yield from ((("runs", k, name), name) for name in entry)


def _check_name(written: Written, place: Place, name: str) -> None:
    if name in OF_THE_SWEEP:
        raise written.mistake(place, OF_THE_SWEEP[name])
    if name in ("feedback", "record"):
        why = ASKS_SOMEBODY if name == "feedback" else "many runs would write to the same file"
        raise written.mistake(place, f"{name}: {why}")
    if name not in RunConfig.model_fields:
        raise written.mistake(place, _unknown(name, sorted(RunConfig.model_fields)))


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    return f"unknown field {name!r}; {hint}"


def _explained(
    written: Written, error: ValidationError, place: Place, model: type[BaseModel]
) -> UserError:
    """The first thing that pydantic minds, with its line; ``place`` leads to the field if known."""
    first = error.errors(include_url=False)[0]
    where = place or tuple(first["loc"])
    name = ".".join(str(part) for part in first["loc"]) or "this"
    if first["type"] == "extra_forbidden":
        return written.mistake(where, _unknown(str(first["loc"][-1]), sorted(model.model_fields)))
    message = first["msg"].removeprefix("Value error, ")
    given = str(first.get("input"))[:60]
    hint = ""
    if first["type"] == "literal_error":
        near = get_close_matches(
            given, first.get("ctx", {})["expected"].replace("'", "").split(", "), n=1
        )
        hint = f"; did you mean {near[0]}?" if near else ""
    if first["type"] == "list_type":
        hint = f"; write [{given}]"
    return written.mistake(where, f"{name}: {message} (given: {given!r}){hint}")


# --- expansion -------------------------------------------------------------------------------


def expand(written: Written, file: SweepFile) -> list[Cell]:
    """The searches that the file asks for, before anything of them is looked up.

    Raises UserError for settings that are wrong in themselves.
    """
    entries: list[dict[str, Any]] = file.runs or [{}]
    count = len(entries)
    for values in file.grid.values():
        count *= len(values)
    if count > MOST_CELLS:
        raise written.mistake(("grid",), f"{count:,} runs are more than {MOST_CELLS:,}")
    made = []
    for k, entry in enumerate(entries):
        axes = [[(name, j) for j in range(len(values))] for name, values in file.grid.items()]
        for chosen in itertools.product(*axes):
            given = {**file.settings, **entry, **{n: file.grid[n][j] for n, j in chosen}}
            places: dict[str, Place] = {name: ("settings", name) for name in file.settings}
            places |= {name: ("runs", k, name) for name in entry}
            places |= {name: ("grid", name, j) for name, j in chosen}
            made.append(_cell(written, given, places, ("runs", k) if file.runs else ("grid",)))
    return labelled(made)


def _cell(
    written: Written, given: dict[str, Any], places: Mapping[str, Place], place: Place
) -> Cell:
    if "task" not in given:
        raise written.mistake(place, "no task is named; write grid: {task: [cartpole-swingup]}")
    try:
        config = RunConfig.model_validate(given)
    except ValidationError as error:
        location = error.errors()[0]["loc"]
        where = places.get(str(location[0]), place) if location else places.get("models", place)
        raise _explained(written, error, where, RunConfig) from None
    return Cell("", config, config.task, "", "", place=places.get("task", place))


def labelled(cells: Sequence[Cell]) -> list[Cell]:
    """The searches with the names of what sets them apart."""
    settings = [cell.config.model_dump(mode="json") for cell in cells]
    apart = [
        name
        for name in RunConfig.model_fields
        if name not in {"task", "seed", "strategy", "model", "models", *NO_MATTER}
        and len({json.dumps(one[name], sort_keys=True) for one in settings}) > 1
    ]
    seeds = {cell.seed for cell in cells}
    named = []
    for cell, own in zip(cells, settings, strict=True):
        assert isinstance(cell.config, RunConfig)
        models = [_short(model) for model in cell.config.models]
        strategy = cell.config.strategy or ("offline" if models == ["offline"] else "eureka")
        parts = [strategy] + ([] if models == ["offline"] else [" + ".join(models)])
        parts += [f"{name} {_value(own[name])}" for name in apart]
        method = " · ".join(parts)
        seed = f" · seed {cell.seed}" if len(seeds) > 1 else ""
        named.append(replace(cell, method=method, label=f"{cell.task} · {method}{seed}"))
    return named


def _short(model: str) -> str:
    """A model's name without the folder of a recording or the address of a server."""
    before, colon, after = model.partition(":")
    if colon and before.startswith("replay"):
        return f"{before}:{Path(after).stem}"
    return model.partition("@http")[0]


def _value(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    text = value if isinstance(value, str) else json.dumps(value)
    return " ".join(text.split())[:40]


def key_of(config: RunConfig | TrainConfig) -> str:
    """Names a run by all that can change its scores."""
    facts = _stored(config).model_dump(mode="json", exclude_defaults=True, exclude=NO_MATTER)
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
