"""What a policy does, in numbers that a model or a person can read.

Made from trusted episodes, which were rolled out without the candidate: how they end, how far
fitness spreads, which variables moved, and one typical episode as a table of a few moments.
Only public variables are named.  The same episodes give the same numbers.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, FiniteFloat

from reward_synth.evaluation.score import fitness_of
from reward_synth.task import Episode, Task

if TYPE_CHECKING:
    from reward_synth.simulation.statistics import VariableStatistics

COLUMNS = 6
ROWS = 12
FEWEST_ROWS = 9
"""Rows of a table are at telling moments, then in the longest gaps until there are so many…"""
LONG_GAP = 1 / 3
"""…and, while there is room, no gap is longer than this share of the episode."""
APART = 50
"""Rows of a table are at least this fraction of an episode apart."""
MOST_ENTRIES = 2
"""Columns that one vector may have."""
VECTOR_WEIGHT = 0.5
"""An entry of a vector says less to a reader than a variable with a meaning of its own."""
SAME = 0.8
"""Two variables whose correlation over all steps is higher say the same."""
FEWEST_EPISODES = 5
"""For a correlation with fitness."""
SIGNS = 2
CLEAR = 2.0
"""Distance of a variable's mean at an early end from that before, in standard deviations, from
which it is a sign."""
AT_LIMIT = 0.99
"""Commands of larger magnitude are at a limit of the actuator."""


class Numbers(BaseModel):
    """JSON of finite numbers, of three significant digits where they were measured."""

    model_config = ConfigDict(frozen=True)


class Spread(Numbers):
    """Of many values."""

    mean: FiniteFloat
    low: FiniteFloat
    """5th percentile."""
    high: FiniteFloat
    """95th percentile."""


class EarlySign(Numbers):
    """A variable that is elsewhere than usual when episodes end early."""

    name: str
    mean: FiniteFloat
    """At the last control step of those episodes."""
    before: Spread
    """At all the others of all episodes."""


class Row(Numbers):
    """One moment of an episode."""

    step: int
    """Control steps done, from 1."""
    values: list[FiniteFloat]
    moment: str
    """What is special about it; empty where it only fills a gap."""


class Excerpt(Numbers):
    """One episode in a few rows."""

    fitness: FiniteFloat | None
    """None where the task defines none."""
    success: bool | None
    """None where the task defines no success."""
    steps: int
    early: bool
    columns: list[str]
    """Variables and, as reward programs write them, entries of vectors (``angles[:, 0]``)."""
    rows: list[Row]


class Behaviour(Numbers):
    """What a policy does over some episodes."""

    episodes: int
    episode_steps: int
    """Control steps after which an episode is timed out."""
    early: int
    """Episodes that ended before."""
    early_steps: tuple[int, int, int] | None
    """Shortest, median and longest of those, in control steps."""
    signs: list[EarlySign]
    fitness: Spread | None
    """None where the task defines none."""
    successes: int | None
    """None where the task defines no success."""
    command: FiniteFloat
    """Mean magnitude of an actuator's command, in [0, 1]."""
    at_limit: FiniteFloat
    """Share of commands at a limit."""
    variables: dict[str, Spread]
    """Of the public scalar variables over all steps, the most telling first."""
    excerpts: list[Excerpt]
    """The typical episode, of about the median fitness and length; where only some succeed, a
    typical one of the other outcome beside it."""


@dataclass(frozen=True, eq=False)
class Track:
    """A scalar variable or one entry of a vector."""

    name: str
    variable: str
    scalar: bool
    episodes: list[np.ndarray]
    """``(T,)`` each."""
    steps: np.ndarray
    """All episodes' values, one after the other."""


def behaviour(
    task: Task,
    episodes: Sequence[Episode],
    ranges: Mapping[str, "VariableStatistics"] | None = None,
) -> Behaviour:
    """What the policy of those episodes does.

    ``ranges`` are the variables' statistics under random actions (measured here if None): what
    moves far beyond them is telling.

    Raises RunError when the fitness is not finite.
    """
    if ranges is None:
        from reward_synth.simulation import task_spec

        ranges = task_spec(task).statistics
    measured = fitness_of(task, episodes)
    # Where there is no fitness, nothing goes with it and every episode has as much.
    fitness = np.zeros(len(episodes)) if measured is None else np.array(measured)
    success = None if task.success is None else [bool(task.success(e)) for e in episodes]
    random = {name: seen.high - seen.low for name, seen in ranges.items()}
    tracks = ranked(follow(task, episodes), fitness, random)
    lengths = np.array([len(episode) for episode in episodes])
    ended = [index for index, episode in enumerate(episodes) if episode.terminated]
    commands = np.abs(np.concatenate([episode.action for episode in episodes]))
    return Behaviour(
        episodes=len(episodes),
        episode_steps=task.episode_steps,
        early=len(ended),
        early_steps=extent(lengths[ended]) if ended else None,
        signs=early_signs(tracks, ended),
        fitness=None if measured is None else spread(fitness),
        successes=None if success is None else sum(success),
        command=rounded(commands.mean()),
        at_limit=rounded((commands > AT_LIMIT).mean()),
        variables={track.name: spread(track.steps) for track in tracks if track.scalar},
        excerpts=[
            excerpt(
                tracks,
                index,
                episodes[index],
                None if measured is None else measured[index],
                None if success is None else success[index],
            )
            for index in shown(fitness, lengths, success)
        ],
    )


def follow(task: Task, episodes: Sequence[Episode]) -> list[Track]:
    """Every public scalar and entry in the task's order; those that are ever not finite are left
    out."""
    tracks: list[Track] = []
    for variable, meaning in task.variables.items():
        if not meaning.public:
            continue
        values = [np.asarray(episode[variable], dtype=float) for episode in episodes]
        scalar = values[0].ndim == 1
        for entry in range(1 if scalar else values[0].shape[1]):
            name = variable if scalar else f"{variable}[:, {entry}]"
            own = values if scalar else [value[:, entry] for value in values]
            steps = np.concatenate(own)
            if np.isfinite(steps).all():
                tracks.append(Track(name, variable, scalar, own, steps))
    return tracks


def ranked(
    tracks: Sequence[Track], fitness: np.ndarray, random: Mapping[str, float]
) -> list[Track]:
    """The most telling first: those that move far within an episode, measured by their range under
    random actions, and those whose mean goes with fitness from episode to episode."""

    def telling(track: Track) -> float:
        moved = float(np.median([np.ptp(np.percentile(e, [5.0, 95.0])) for e in track.episodes]))
        usual = random.get(track.variable, 0.0)
        movement = moved / (moved + usual) if moved > 0.0 else 0.0
        means = np.array([episode.mean() for episode in track.episodes])
        told = movement + abs(certain_correlation(means, fitness))
        return told if track.scalar else VECTOR_WEIGHT * told

    return sorted(tracks, key=telling, reverse=True)


def certain_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation; 0 where chance alone would often give as much, or there are few."""
    if len(a) < FEWEST_EPISODES:
        return 0.0
    r = correlation(a, b)
    return r if abs(r) > 2.0 / np.sqrt(len(a)) else 0.0


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation of two series of one length; 0 where one does not vary."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt(np.mean(a * a)) * np.sqrt(np.mean(b * b)))
    return float(np.mean(a * b)) / size if size > 0.0 else 0.0


def distinct(tracks: Sequence[Track], count: int) -> list[Track]:
    """The first ``count`` that do not say the same as one before them."""
    chosen: list[Track] = []
    for track in tracks:
        alike = any(abs(correlation(track.steps, other.steps)) > SAME for other in chosen)
        entries = sum(track.variable == other.variable for other in chosen)
        if len(chosen) < count and not alike and entries < MOST_ENTRIES:
            chosen.append(track)
    return chosen


def early_signs(tracks: Sequence[Track], ended: Sequence[int]) -> list[EarlySign]:
    """The variables that most clearly tell an early end from the steps before it."""
    found: list[tuple[float, Track, EarlySign]] = []
    for track in tracks:
        last = np.array([track.episodes[index][-1] for index in ended])
        before = np.concatenate([episode[:-1] for episode in track.episodes])
        if not len(last) or not len(before):
            continue
        distance = float(abs(last.mean() - before.mean()))
        noise = float(last.std() + before.std())
        if distance > CLEAR * noise:
            sign = EarlySign(name=track.name, mean=rounded(last.mean()), before=spread(before))
            found.append((distance / noise if noise > 0.0 else np.inf, track, sign))
    found.sort(key=lambda entry: entry[0], reverse=True)
    kept = distinct([track for _, track, _ in found], SIGNS)
    return [sign for _, track, sign in found if track in kept]


def shown(fitness: np.ndarray, lengths: np.ndarray, success: Sequence[bool] | None) -> list[int]:
    """The typical episode and, where success varies, one of the other outcome."""
    every = list(range(len(fitness)))
    typical = nearest_the_median(every, fitness, lengths)
    if success is None or len(set(success)) < 2:
        return [typical]
    other = [index for index in every if success[index] != success[typical]]
    return [typical, nearest_the_median(other, fitness, lengths)]


def nearest_the_median(among: Sequence[int], fitness: np.ndarray, lengths: np.ndarray) -> int:
    """Of some episodes the one of about their median fitness and, of equals, median length."""
    middle, length = np.median(fitness[among]), np.median(lengths[among])
    return min(among, key=lambda i: (abs(fitness[i] - middle), abs(lengths[i] - length), i))


def excerpt(
    tracks: Sequence[Track],
    index: int,
    episode: Episode,
    fitness: float | None,
    success: bool | None,
) -> Excerpt:
    """An episode's most telling variables at its most telling moments."""
    moving = [track for track in tracks if np.ptp(track.episodes[index]) > 0.0]
    columns = distinct(moving, COLUMNS)
    values = {track.name: track.episodes[index] for track in columns}
    return Excerpt(
        fitness=None if fitness is None else rounded(fitness),
        success=success,
        steps=len(episode),
        early=episode.terminated,
        columns=list(values),
        rows=[
            Row(
                step=step + 1,
                values=[rounded(column[step]) for column in values.values()],
                moment=moment,
            )
            for step, moment in moments(values, len(episode), episode.terminated)
        ],
    )


def moments(columns: Mapping[str, np.ndarray], length: int, early: bool) -> list[tuple[int, str]]:
    """At most ``ROWS`` steps, from 0, with what is special about each: the start, the end, the
    extremes of the columns in turn; then the middles of the longest gaps."""
    found = {0: "start"}
    found[length - 1] = "early end" if early else "time-out"
    apart = max(1, length // APART)
    for name, values in columns.items():
        for step, what in ((int(values.argmax()), "highest"), (int(values.argmin()), "lowest")):
            if len(found) < ROWS - 1 and all(abs(step - other) >= apart for other in found):
                found[step] = f"{what} {name}"
    while len(found) < min(ROWS, length):
        gap, first = max((b - a, -a) for a, b in itertools.pairwise(sorted(found)))
        if len(found) >= FEWEST_ROWS and gap <= LONG_GAP * length:
            break
        found[gap // 2 - first] = ""
    return sorted(found.items())


def extent(lengths: np.ndarray) -> tuple[int, int, int]:
    ordered = np.sort(lengths)
    return int(ordered[0]), int(ordered[len(ordered) // 2]), int(ordered[-1])


def spread(values: np.ndarray) -> Spread:
    low, high = np.percentile(values, [5.0, 95.0])
    return Spread(mean=rounded(values.mean()), low=rounded(low), high=rounded(high))


def rounded(value: float) -> float:
    """Three significant digits; what only rounding keeps from zero is zero."""
    return 0.0 if abs(value) < 1e-8 else float(f"{value:.3g}")
