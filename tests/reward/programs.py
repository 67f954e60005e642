"""Reward programs to test with: the folders ``wrong`` and ``right``, and states to run them on.

Both folders are written for the variables of the task ``hopper-forward``, so that the command
``check`` can be pointed at them too.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.reward import RewardProgram, parse

FOLDER = Path(__file__).parent
WRONG = sorted((FOLDER / "wrong").glob("*.py"))
RIGHT = sorted((FOLDER / "right").glob("*.py"))

VARIABLES: dict[str, int | None] = {
    "forward_position": None,
    "forward_velocity": None,
    "vertical_velocity": None,
    "torso_height": None,
    "pitch": None,
    "pitch_velocity": None,
    "joint_angles": 3,
    "joint_velocities": 3,
    "foot_height": None,
    "action": 3,
}
"""The public variables of ``hopper-forward``."""

ROWS = 5


def right_program(name: str) -> RewardProgram:
    return parse((FOLDER / "right" / f"{name}.py").read_text(encoding="utf-8"), VARIABLES)


def states(program: RewardProgram, seed: int = 0, rows: int = ROWS) -> dict[str, np.ndarray]:
    """Values for the arguments of ``program``, around 1 with a spread of 1."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0.5, 1.0, (rows,) if size is None else (rows, size))
        for name, size in program.sizes.items()
    }


def columns(result: tuple[Any, Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Total and components of a call, as NumPy arrays."""
    total, components = result
    return {"": np.asarray(total), **{k: np.asarray(v) for k, v in components.items()}}


def outcomes(program: RewardProgram, values: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """What ``program`` gives for ``values`` on each namespace, in double precision."""
    import jax
    import torch

    in_torch = {name: torch.asarray(value) for name, value in values.items()}
    with jax.enable_x64(True):
        in_jax = {name: jax.numpy.asarray(value) for name, value in values.items()}
        jax_result = columns(program.compile("jax")(**in_jax))
    return {
        "numpy": columns(program.compile("numpy")(**values)),
        "torch": columns(program.compile("torch")(**in_torch)),
        "jax": jax_result,
    }


def assert_contract(program: RewardProgram, seed: int = 0) -> None:
    """Namespaces agree, a batch equals its rows, and the inputs stay as they were."""
    values = states(program, seed)
    before = {name: value.copy() for name, value in values.items()}
    results = outcomes(program, values)
    batch = results["numpy"]
    for name, value in values.items():
        np.testing.assert_array_equal(value, before[name])
    for column in batch.values():
        assert column.shape == (ROWS,)
        assert column.dtype == np.float64
    for namespace in ("torch", "jax"):
        assert results[namespace].keys() == batch.keys()
        for name, column in results[namespace].items():
            label = f"{namespace} {name}"
            np.testing.assert_allclose(column, batch[name], rtol=1e-5, atol=1e-5, err_msg=label)
    reward = program.compile("numpy")
    for row in range(ROWS):
        alone = columns(reward(**{k: v[row : row + 1] for k, v in values.items()}))
        for name, column in alone.items():
            np.testing.assert_allclose(column[0], batch[name][row], rtol=1e-9, atol=1e-12)
