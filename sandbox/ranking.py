"""What programs would have paid for recorded episodes: the evidence of the preference check.

Trajectory-preference evaluation of CARD (Sun et al. 2024, arXiv 2410.14660): a reward that does not
rank known successes above known failures is not worth a training.
"""

from pathlib import Path

import numpy as np
import safetensors.numpy

from reward_synth.reward import parse
from reward_synth.simulation import task_spec
from reward_synth.task import load_task
from sandbox.messages import ProgramReturns, RankJob, RankResult

EPISODES = "episodes.safetensors"
LENGTHS = "#lengths"
"""No variable's name."""
PREVIOUS = "prev_"


def rank(job: RankJob) -> RankResult:
    """The discounted returns of every episode under every program."""
    task = load_task(Path(job.task))
    sizes = task_spec(task).readable
    rows = safetensors.numpy.load_file(Path(job.folder) / EPISODES)
    lengths = rows.pop(LENGTHS)
    discount = task.ppo.discount
    return RankResult(
        programs=[returns_of(source, sizes, rows, lengths, discount) for source in job.programs]
    )


def shifted(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Each row's value one control step earlier; an episode's first step keeps its own."""
    earlier = np.roll(values, 1, axis=0)
    first = np.cumsum(lengths) - lengths
    earlier[first] = values[first]
    return earlier


def returns_of(
    source: str,
    sizes: dict[str, int | None],
    rows: dict[str, np.ndarray],
    lengths: np.ndarray,
    discount: float,
) -> ProgramReturns:
    """Discounted sums of the total and the components over each episode."""
    try:
        program = parse(source, sizes)
        reward = program.compile("numpy")
        given = {
            name: rows[name].copy()
            if name in rows
            else shifted(rows[name.removeprefix(PREVIOUS)], lengths)
            for name in program.arguments
        }
        with np.errstate(all="ignore"):
            total, components = reward(**given)
        sums = {
            name: discounted(np.broadcast_to(value, total.shape), lengths, discount)
            for name, value in (("", total), *components.items())
        }
    except MemoryError:
        return ProgramReturns(failure="the program ran out of memory")
    except Exception as error:
        return ProgramReturns(failure=f"{type(error).__name__}: {error}")
    if not all(np.isfinite(values).all() for values in sums.values()):
        return ProgramReturns(failure="the reward is not finite on recorded episodes")
    return ProgramReturns(
        returns=sums.pop("").tolist(),
        components={name: values.tolist() for name, values in sums.items()},
    )


def discounted(values: np.ndarray, lengths: np.ndarray, discount: float) -> np.ndarray:
    """Per episode the sum of ``discount ** t`` times the value of control step ``t``."""
    first = np.cumsum(lengths) - lengths
    time = np.arange(len(values)) - np.repeat(first, lengths)
    return np.add.reduceat(values * discount**time, first)
