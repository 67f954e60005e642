"""What a pool of environments must be able to do, and what makes its errors."""

import hashlib
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.pools.layout import Layout
from reward_synth.task import VectorEnvironment

LARGEST_SEED = 2**31 - 1
"""Of EnvPool and of most environments."""


@dataclass(frozen=True)
class Probe:
    """What one environment is like."""

    observation_space: Any
    """Of one environment, from ``gymnasium.spaces``."""
    action_space: Any
    observation: Any
    """After its first reset."""
    infos: tuple[Mapping[str, Any], ...]
    """Of its first reset, and of its first step."""
    control_step: float
    """Seconds of one step where the environment says so, else 1."""
    renders: bool
    """Whether it draws pictures of itself."""


@dataclass(frozen=True)
class Outcome:
    """What a step of ``n`` environments gave, before any reset."""

    values: np.ndarray
    """``(n, W)`` float64: the entries of the layout."""
    reward: np.ndarray
    """``(n,)``: the environment's own."""
    terminated: np.ndarray
    """``(n,)`` bool."""
    truncated: np.ndarray
    """``(n,)`` bool: by the environment itself."""


class Pool(Protocol):
    """Environments that are stepped and reset by their rows, none of which changes another."""

    def begin(self, layout: Layout, names: np.ndarray) -> np.ndarray:
        """Begin episode 0 of all environments; gives the values ``(N, W)``.

        ``names (N, 2)`` are seed and index.  What was played before has no influence.
        """
        ...

    def step(self, action: np.ndarray, rows: np.ndarray) -> Outcome:
        """Step the environments ``rows``, by the environment's own actions, one for each."""
        ...

    def restart(self, rows: np.ndarray, names: np.ndarray) -> np.ndarray:
        """Begin the next episode of ``rows`` wherever they are; gives the values ``(n, W)``.

        ``names (n, 3)`` are seed, index and episode.
        """
        ...

    def render(self) -> np.ndarray:
        """A picture ``(H, W, 3)`` uint8 of the first environment, made with
        ``render_mode="rgb_array"``."""
        ...

    def close(self) -> None:
        """Release threads and memory.  Closing twice is harmless."""
        ...


def mixed_seed(name: Sequence[int]) -> int:
    """A seed that an environment takes, of a name: seed and index, or also the episode."""
    text = ",".join(str(int(part)) for part in name)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % (LARGEST_SEED + 1)


def import_package(environment: VectorEnvironment) -> None:
    """Import the package that registers the environment's id, if it needs one."""
    if environment.package is None:
        return
    try:
        importlib.import_module(environment.package)
    except ModuleNotFoundError as error:
        raise UserError(
            f"{environment.id}: there is no package {error.name!r}; pip install the one that "
            f"provides {environment.package!r}"
        ) from error
    except Exception as error:
        raise UserError(
            f"{environment.id}: importing {environment.package!r} failed: {in_words(error)}"
        ) from error


def in_words(error: BaseException) -> str:
    """An exception of others' code in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def raised(environment: VectorEnvironment, method: str, error: BaseException) -> UserError:
    """What others' code raised, as one line."""
    return UserError(f"{environment.id} raised in {method}: {in_words(error)}; mend or change it")
