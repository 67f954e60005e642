"""How sure a mean is: 95 % intervals of means and of their differences.

Of ten values or more by bootstrap (Efron's BCa, by scipy); of fewer by Student's t, as a bootstrap
would understate them.
"""

import math
from collections.abc import Sequence
from statistics import fmean, stdev, variance
from typing import Any

FEW = 10
"""Below this many values an interval is Student's t."""
NORMAL = 1.959963984540054
"""The normal distribution's quantile of 97.5 %, above which all of Student's lie."""
PARTS = 200
"""That Simpson's rule divides a range into."""


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean.

    One value, or equal values, give an interval of no width.
    """
    mean = fmean(values)
    if len(values) < 2 or min(values) == max(values):
        return mean, mean
    if len(values) < FEW:
        half = student_quantile(len(values) - 1) * stdev(values) / math.sqrt(len(values))
        return mean - half, mean + half
    import numpy as np

    data = np.asarray(values, dtype=float)
    low, high = _bootstrap([data], np.mean)
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = np.quantile(data, [0.025, 0.975])
    return float(low), float(high)


def difference_interval(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """95 % interval of mean(a) − mean(b), of independent samples of at least two values each.

    By Welch's t where one has few values.  Values without spread give an interval of no width.
    """
    apart = fmean(a) - fmean(b)
    if min(a) == max(a) and min(b) == max(b):
        return apart, apart
    if min(len(a), len(b)) >= FEW:

        def means_apart(x: Any, y: Any, axis: int) -> Any:
            return x.mean(axis=axis) - y.mean(axis=axis)

        low, high = _bootstrap([a, b], means_apart)
        if math.isfinite(low) and math.isfinite(high):
            return low, high
    errors = [variance(own) / len(own) for own in (a, b)]
    largest = max(errors)
    if largest == 0:  # as far as floats can tell
        return apart, apart
    shares = [error / largest for error in errors]
    freedom = sum(shares) ** 2 / sum(
        share**2 / (len(own) - 1) for share, own in zip(shares, (a, b), strict=True)
    )
    half = student_quantile(freedom) * math.sqrt(sum(errors))
    return apart - half, apart + half


def _bootstrap(samples: Sequence[Any], statistic: Any) -> tuple[float, float]:
    import numpy as np
    from scipy import stats

    with np.errstate(all="ignore"):
        found = stats.bootstrap(samples, statistic, rng=np.random.default_rng(0))
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def student_quantile(freedom: float) -> float:
    """Quantile of 97.5 % of Student's t with ``freedom`` degrees of freedom, 1 or more.

    With t = √ν tan θ the density is proportional to cosᵛ⁻¹ θ: smooth on a bounded range, so that
    Simpson's rule integrates it, and falling, so that Newton's steps approach from below.  Within
    1e-7 of scipy.special.stdtrit for ν up to 100,000; that takes as long to import as thirty runs
    to be read and compared.
    """
    power = freedom - 1
    density = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2))
    density /= math.sqrt(math.pi)
    angle = math.atan(NORMAL / math.sqrt(freedom))
    for _ in range(20):
        heights = [math.cos(angle * k / PARTS) ** power for k in range(PARTS + 1)]
        weighed = heights[0] + 4 * sum(heights[1::2]) + 2 * sum(heights[2:-1:2]) + heights[-1]
        area = density * angle / PARTS / 3 * weighed
        step = (0.475 - area) / (density * heights[-1])
        angle += step
        if abs(step) < 1e-13 * angle:
            break
    return math.sqrt(freedom) * math.tan(angle)
