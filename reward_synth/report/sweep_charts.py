"""Charts of methods as plain SVG: score distributions, and estimates with their intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reward_synth.report.charts import MOST_LINES, Look, Scale, Tick
from reward_synth.report.methods import EXPERT, Improvement, Method
from reward_synth.report.reliability import Estimated, Profile
from reward_synth.report.words import amount

WIDTH = 360
PROFILE_HEIGHT = 270
LEFT, RIGHT, TOP, BOTTOM = 46, 16, 20, 40
"""Pixels around a profile's plane, where the labels stand."""
SIDE = 12
"""Pixels beside an estimate's line, whose label stands above it."""
ROW, LINE = 22, 15
"""Pixels of an estimate, and of each line of its label."""
REACH = 0.35
"""How far the expert's or the sparse reward's level may widen a scale, as a human-normalised score,
and as a share of what the scale spans."""


@dataclass(frozen=True)
class Curve:
    """A method's score distribution."""

    look: Look
    told: str
    path: str
    band: str


@dataclass(frozen=True)
class Distributions:
    """The share of runs above each score."""

    x_ticks: list[Tick]
    y_ticks: list[Tick]
    levels: list[Tick]
    """Where the sparse and the expert's reward stand."""
    curves: list[Curve]

    width: int = WIDTH
    height: int = PROFILE_HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = PROFILE_HEIGHT - BOTTOM


@dataclass(frozen=True)
class Bar:
    """An estimate and its interval."""

    look: Look
    lines: list[Tick]
    """Of its label, from the top."""
    figures: str
    y: float
    low: float
    value: float
    high: float


@dataclass(frozen=True)
class Estimates:
    """Estimates below each other, on one scale."""

    bars: list[Bar]
    ticks: list[Tick]
    levels: list[Tick]
    height: float
    bottom: float

    width: int = WIDTH
    left: int = SIDE
    right: int = WIDTH - SIDE


def distributions(methods: Sequence[Method]) -> Distributions | None:
    """The profiles of the best methods; None where nobody has a score."""
    drawn = [
        (place, method, method.profile)
        for place, method in enumerate(methods, 1)
        if method.profile is not None
    ][:MOST_LINES]
    if not drawn:
        return None
    taus = drawn[0][2].taus
    across = Scale(taus[0], taus[-1], LEFT, WIDTH - RIGHT)
    up = Scale(0.0, 1.0, PROFILE_HEIGHT - BOTTOM, TOP)
    return Distributions(
        x_ticks=[Tick(across(v), amount(v)) for v in across.ticks()],
        y_ticks=[Tick(up(share), f"{100 * share:.0f} %") for share in (0, 0.25, 0.5, 0.75, 1)],
        levels=[Tick(across(EXPERT), "expert")],
        curves=[
            Curve(Look(place), method.name, *_outlines(profile, across, up))
            for place, method, profile in drawn
        ],
    )


def _outlines(profile: Profile, across: Scale, up: Scale) -> tuple[str, str]:
    """The line and the band of a profile."""
    xs = [across(tau) for tau in profile.taus]
    line, low, high = (
        [f"{x:.1f} {up(share):.1f}" for x, share in zip(xs, shares, strict=True)]
        for shares in (profile.shares, profile.low, profile.high)
    )
    return "M" + "L".join(line), "M" + "L".join([*high, *reversed(low)]) + "Z"


def interquartile_means(methods: Sequence[Method]) -> Estimates | None:
    """The methods' interquartile means; None where nobody has a score."""
    rows = [
        (Look(place), [method.name], method.iqm)
        for place, method in enumerate(methods, 1)
        if method.iqm is not None
    ][:MOST_LINES]
    if not rows:
        return None
    ends = [end for *_, found in rows for end in (found.low, found.high)]
    reach = REACH * max(max(ends) - min(ends), 1.0)
    near = [v for v in (0.0, EXPERT) if min(ends) - reach <= v <= max(ends) + reach]
    low, high = min([*ends, *near]), max([*ends, *near])
    edge = 0.05 * max(high - low, 0.1)
    scale = Scale(low - edge, high + edge, SIDE, WIDTH - SIDE)
    levels = [Tick(scale(v), "expert" if v == EXPERT else "sparse") for v in near]
    ticks = [Tick(scale(v), amount(v)) for v in scale.ticks()]
    return _estimates(rows, scale, ticks, levels, lambda value: f"{value:.2f}")


def improvement_chart(methods: Sequence[Method], found: Sequence[Improvement]) -> Estimates | None:
    """P(X > Y) of the pairs of methods; None where there is no pair."""
    places = {method.name: place for place, method in enumerate(methods, 1)}
    rows = [
        (Look(places[one.method]), [one.method, f"over {one.other}"], one.probability)
        for one in found
    ][:MOST_LINES]
    if not rows:
        return None
    scale = Scale(0.0, 1.0, SIDE, WIDTH - SIDE)
    ticks = [Tick(scale(v), f"{100 * v:.0f} %") for v in np.linspace(0, 1, 5)]
    return _estimates(
        rows, scale, ticks, [Tick(scale(0.5), "")], lambda value: f"{100 * value:.0f}", " %"
    )


def _estimates(
    rows: Sequence[tuple[Look, list[str], Estimated]],
    scale: Scale,
    ticks: list[Tick],
    levels: list[Tick],
    told: Callable[[float], str],
    unit: str = "",
) -> Estimates:
    bars: list[Bar] = []
    y: float = TOP
    for look, label, found in rows:
        lines = [Tick(y + LINE * (k + 1), line) for k, line in enumerate(label)]
        y = lines[-1].place + 9
        spread = f" ({told(found.low)} to {told(found.high)})" if found.low < found.high else ""
        bars.append(
            Bar(
                look=look,
                lines=lines,
                figures=f"{told(found.value)}{unit}{spread}",
                y=y,
                low=scale(found.low),
                value=scale(found.value),
                high=scale(found.high),
            )
        )
        y += ROW - 9
    return Estimates(bars, ticks, levels, height=y + 24, bottom=y + 2)
