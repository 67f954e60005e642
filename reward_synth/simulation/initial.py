"""Initial states of a task's episodes, and the checks of the functions that a task brings.

Every MuJoCo simulator starts its episodes here, on the processor: an episode's first state and
sensor values are the same whatever steps it afterwards.
"""

import threading
from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.variables import Variables
from reward_synth.task import Task
from reward_synth.task.validation import nearest

FULL_STATE = mujoco.mjtState.mjSTATE_FULLPHYSICS
"""Time, ``qpos``, ``qvel``, activations and what few models have besides, in this order."""


SWITCHING = threading.Lock()
"""MuJoCo makes its switch ready at the first use, and threads that do so at once wait for each
other for ever: one inside it for Python's lock, the others with that lock for the switch."""


class InitialStates:
    """Draws initial states by name: ``(seed, index, episode)`` decides one alone.

    Raises:
        UserError: the task's reset is wrong.
    """

    def __init__(self, task: Task, model: mujoco.MjModel) -> None:
        self.task = task
        self.model = model
        self.state_size = mujoco.mj_stateSize(model, FULL_STATE)
        self._data = mujoco.MjData(model)
        self._check_reset()

    def __call__(self, episodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States ``(M, state_size)`` and sensor values ``(M, nsensordata)`` that episodes
        ``(M, 3)`` start from.

        Raises:
            UserError: the task's reset gives a state that is not finite.
        """
        model, data = self.model, self._data
        states = np.empty((len(episodes), self.state_size))
        sensors = np.empty((len(episodes), model.nsensordata))
        for row, episode in enumerate(episodes.tolist()):
            rng = np.random.default_rng(episode)
            qpos, qvel = self.task.reset(rng, 1)
            # Clears the last solution, which the constraint solver would otherwise start from.
            mujoco.mj_resetData(model, data)
            data.qpos[:] = qpos[0]
            data.qvel[:] = qvel[0]
            if model.nsensordata:
                mujoco.mj_forward(model, data)
                sensors[row] = data.sensordata
            mujoco.mj_getState(model, data, states[row], FULL_STATE)
        if not np.isfinite(states).all():
            raise UserError(
                f"{self.task.folder / 'task.py'}: reset gives a state that is not finite"
            )
        return states, sensors

    def examples(self) -> tuple[np.ndarray, np.ndarray]:
        """States and sensor values of three episodes, to try a task's functions on."""
        return self(np.array([[0, 0, 0], [0, 1, 0], [0, 2, 0]]))

    def _check_reset(self) -> None:
        where, model = self.task.folder / "task.py", self.model
        count = 3
        try:
            arrays = self.task.reset(np.random.default_rng(0), count)
            qpos, qvel = (np.asarray(array, np.float64) for array in arrays)
        except Exception as error:
            raise UserError(f"{where}: reset raised {type(error).__name__}: {error}") from error
        for name, array, size in (("qpos", qpos, model.nq), ("qvel", qvel, model.nv)):
            if array.shape != (count, size):
                raise UserError(
                    f"{where}: reset gives {name} of shape {array.shape} for {count} "
                    f"environments; it must give ({count}, {size})"
                )
            if not np.isfinite(array).all():
                raise UserError(f"{where}: reset gives a {name} that is not finite")


def seed_groups(seed: int | Sequence[int], num_envs: int) -> tuple[np.ndarray, int]:
    """Seeds ``(G,)`` of a reset, and how many environments each one has.

    Raises:
        ValueError: a negative seed, or environments that do not divide into so many groups.
    """
    seeds = [seed] if isinstance(seed, int | np.integer) else list(seed)
    if min(seeds) < 0:
        raise ValueError("seed must not be negative")
    group, rest = divmod(num_envs, len(seeds))
    if rest:
        raise ValueError(f"{num_envs} environments do not divide into {len(seeds)} groups")
    return np.array(seeds, np.int64), group


def check_terminated(task: Task, variables: Variables, xp: Any = np) -> None:
    """Try the task's termination on some states of namespace ``xp``.

    Raises:
        UserError: it raises, or gives anything but one boolean for each state.
    """
    where = task.folder / "task.py"
    count = len(variables.record)
    try:
        terminated = xp.asarray(task.terminated(variables, xp))
    except KeyError as error:
        raise UserError(
            f"{where}: terminated reads the unknown variable {error}"
            f"{nearest(str(error.args[0]), task.variables)}"
        ) from None
    except Exception as error:
        raise UserError(f"{where}: terminated raised {type(error).__name__}: {error}") from error
    if tuple(terminated.shape) != (count,) or terminated.dtype != xp.bool:
        raise UserError(
            f"{where}: terminated gives {terminated.dtype} of shape {tuple(terminated.shape)} for "
            f"{count} environments; it must give booleans of shape ({count},)"
        )


def silence_warnings() -> None:
    """Keep MuJoCo's warnings of bad states to itself.

    Such a state already ends its environment.  By default it would also go to stderr and to a
    file in the working directory, and MuJoCo has only this process-wide switch.
    """
    with SWITCHING:
        mujoco.set_mju_user_warning(_ignore)


def _ignore(message: str) -> None:
    """Receives MuJoCo's warnings."""
