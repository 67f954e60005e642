"""What a task's episodes start from and what is drawn for them, and checks of a task's functions.

Every MuJoCo simulator starts its episodes here, on the processor: an episode's first state, sensor
values and parameters are the same whatever steps it afterwards.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.control import keyframe
from reward_synth.simulation.randomisation import Variation
from reward_synth.simulation.variables import Variables
from reward_synth.task import Home, Start, Task
from reward_synth.task.validation import nearest

FULL_STATE = mujoco.mjtState.mjSTATE_FULLPHYSICS
"""Time, ``qpos``, ``qvel``, activations and what few models have besides, in this order."""
POSE = 7
"""Numbers of a mocap body's pose: position and quaternion."""
_RESAMPLED, _PUSHES, _FIELDS = 1, 2, 3
"""What an episode's further generators are for, appended to its name."""


SWITCHING = threading.Lock()
"""MuJoCo makes its switch ready at the first use, and threads that do so at once wait for each
other for ever: one inside it for Python's lock, the others with that lock for the switch."""


@dataclass(frozen=True)
class Drawn:
    """What ``M`` episodes start from."""

    states: np.ndarray
    """``(M, state_size)``"""
    sensors: np.ndarray
    """``(M, nsensordata)``"""
    parameters: np.ndarray
    """``(M, p)``: values of :class:`Parameter` variables, in the order of ``parameter_sizes``."""
    mocap: np.ndarray
    """``(M, 7 × nmocap)``: all positions, then all quaternions, as MuJoCo keeps them."""
    schedule: np.ndarray
    """``(M, C, q)``: the last ``q`` parameters, which are resampled, at each of ``C`` draws."""
    pushes: np.ndarray
    """``(M, B, 2)``: changes of horizontal velocity, m/s."""
    fields: Mapping[str, np.ndarray]
    """``(M, …)``: randomised fields of the model."""


class InitialStates:
    """Draws initial states by name: ``(seed, index, episode)`` decides one alone.

    Raises:
        UserError: the task's reset, parameters, randomisation or pushes are wrong.
    """

    def __init__(self, task: Task, model: mujoco.MjModel) -> None:
        self.task = task
        self.model = model
        self._where = str(task.folder / "task.py")
        self.state_size = mujoco.mj_stateSize(model, FULL_STATE)
        self._data = mujoco.MjData(model)
        self._reset = self._reset_function()
        self._mocap = {
            model.body(i).name: int(model.body_mocapid[i])
            for i in range(model.nbody)
            if model.body_mocapid[i] >= 0
        }
        start = self._check_reset()
        self.parameter_sizes: dict[str, int | None] = {
            name: _size(array) for name, array in start.parameters.items()
        }
        """Entries of each parameter: None for one number."""
        self._fixed = sum(size or 1 for size in self.parameter_sizes.values())
        self.draws = 0
        """Times that parameters are resampled in an episode, its start included."""
        if task.resampled is not None:
            self._check_resampled()
        self.parameter_count = sum(size or 1 for size in self.parameter_sizes.values())
        self.resampled_count = self.parameter_count - self._fixed
        """Entries of all parameters, and of those that are resampled, which come last."""
        self.pushes = 0
        """Pushes in an episode."""
        self.push_columns = self._check_pushes()
        """Where the pushed body's horizontal velocity lies in ``qvel``."""
        self.variation = Variation(task.randomised, model, self._where) if task.randomised else None

    def __call__(self, episodes: np.ndarray) -> Drawn:
        """What episodes ``(M, 3)`` start from.

        Raises:
            UserError: the task's reset gives a state that is not finite.
        """
        model, data, count = self.model, self._data, len(episodes)
        states = np.empty((count, self.state_size))
        sensors = np.empty((count, model.nsensordata))
        parameters = np.empty((count, self.parameter_count))
        mocap = np.empty((count, POSE * model.nmocap))
        schedule = np.empty((count, self.draws, self.resampled_count))
        pushes = np.empty((count, self.pushes, 2))
        fields: list[dict[str, np.ndarray]] = []
        for row, episode in enumerate(episodes.tolist()):
            start = self._start(np.random.default_rng(episode), 1)
            # Clears the last solution, which the constraint solver would otherwise start from.
            mujoco.mj_resetData(model, data)
            data.qpos[:] = start.qpos[0]
            data.qvel[:] = start.qvel[0]
            if model.nmocap:
                for name, position in start.mocap_position.items():
                    data.mocap_pos[self._mocap[name]] = position[0]
                for name, quaternion in start.mocap_quaternion.items():
                    data.mocap_quat[self._mocap[name]] = quaternion[0]
                mocap[row] = np.concatenate((data.mocap_pos.ravel(), data.mocap_quat.ravel()))
            if model.nsensordata:
                mujoco.mj_forward(model, data)
                sensors[row] = data.sensordata
            mujoco.mj_getState(model, data, states[row], FULL_STATE)
            if self._fixed:
                parameters[row, : self._fixed] = _joined(start.parameters, 1)[0]
            if self.task.resampled is not None:
                rng = np.random.default_rng([*episode, _RESAMPLED])
                schedule[row] = _joined(self.task.resampled.draw(rng, self.draws), self.draws)
                parameters[row, self._fixed :] = schedule[row, 0]
            if self.task.pushes is not None:
                rng = np.random.default_rng([*episode, _PUSHES])
                speed = self.task.pushes.speed
                pushes[row] = rng.uniform(-speed, speed, (self.pushes, 2))
            if self.variation is not None:
                fields.append(self.variation(np.random.default_rng([*episode, _FIELDS])))
        if not all(
            np.isfinite(part).all() for part in (states, parameters, mocap, schedule) if part.size
        ):
            raise UserError(f"{self._where}: reset gives a state that is not finite")
        stacked = {} if self.variation is None else self.variation.base()
        return Drawn(
            states,
            sensors,
            parameters,
            mocap,
            schedule,
            pushes,
            {name: np.stack([one[name] for one in fields]) for name in stacked},
        )

    def examples(self) -> Drawn:
        """Three episodes, to try a task's functions on."""
        return self(np.array([[0, 0, 0], [0, 1, 0], [0, 2, 0]]))

    # --- resets ------------------------------------------------------------------------------

    def _start(self, rng: np.random.Generator, count: int) -> Start:
        drawn = self._reset(rng, count)
        if isinstance(drawn, Start):
            return drawn
        qpos, qvel = drawn
        return Start(qpos, qvel)

    def _reset_function(self) -> Callable[[np.random.Generator, int], Any]:
        """The task's reset as a function."""
        reset, model = self.task.reset, self.model
        if reset is None:
            raise UserError(
                f"{self._where}: a task on a model needs reset: a function of (rng, n), or "
                'Home("KEYFRAME", noise=…)'
            )
        if not isinstance(reset, Home):
            return reset
        home = np.array(model.qpos0)
        if reset.keyframe is not None:
            home = np.array(model.key_qpos[keyframe(model, reset.keyframe, self._where)])
        position, velocity = _home_noise(model, reset, self._where)

        def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
            qpos = home + position * rng.uniform(-1.0, 1.0, (n, model.nq))
            for row in qpos:
                mujoco.mj_normalizeQuat(model, row)
            return qpos, velocity * rng.uniform(-1.0, 1.0, (n, model.nv))

        return draw

    def _check_reset(self) -> Start:
        """Three starts, after checking all that they hold."""
        where, model, count = self._where, self.model, 3
        try:
            start = self._start(np.random.default_rng(0), count)
            qpos, qvel = (np.asarray(array, np.float64) for array in (start.qpos, start.qvel))
        except UserError:
            raise
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
        for name, array in start.parameters.items():
            _check_parameter(name, array, count, f"{where}: reset")
        poses = (("position", start.mocap_position, 3), ("quaternion", start.mocap_quaternion, 4))
        for what, bodies, size in poses:
            for name, array in bodies.items():
                if name not in self._mocap:
                    raise UserError(
                        f"{where}: reset gives the {what} of {name!r}, and the model has no such "
                        f"mocap body{nearest(name, self._mocap)}"
                    )
                if np.shape(array) != (count, size):
                    raise UserError(
                        f"{where}: reset gives the {what} of {name!r} with shape "
                        f"{np.shape(array)} for {count} environments; it must give "
                        f"({count}, {size})"
                    )
        return start

    def _check_resampled(self) -> None:
        resampled, where = self.task.resampled, self._where
        assert resampled is not None
        if isinstance(resampled.every, bool) or resampled.every < 1:
            raise UserError(f"{where}: resampled has every={resampled.every}; give control steps")
        self.draws = -(-self.task.episode_steps // resampled.every)
        try:
            found = resampled.draw(np.random.default_rng(0), self.draws)
        except Exception as error:
            raise UserError(
                f"{where}: resampled's draw raised {type(error).__name__}: {error}"
            ) from error
        for name, array in found.items():
            _check_parameter(name, array, self.draws, f"{where}: resampled's draw")
            if name in self.parameter_sizes:
                raise UserError(
                    f"{where}: both reset and resampled draw the parameter {name!r}; one of them "
                    "has to"
                )
        self.parameter_sizes |= {name: _size(array) for name, array in found.items()}

    def _check_pushes(self) -> tuple[int, int]:
        pushes, model = self.task.pushes, self.model
        if pushes is None:
            return 0, 0
        if pushes.every < 1 or not pushes.speed >= 0.0:
            raise UserError(
                f"{self._where}: pushes of {pushes.speed} m/s every {pushes.every} control steps; "
                "give a speed that is not negative and at least 1 step"
            )
        names = [model.body(i).name for i in range(model.nbody)]
        if pushes.body not in names:
            raise UserError(
                f"{self._where}: pushes: the model has no body {pushes.body!r}"
                f"{nearest(pushes.body, names)}"
            )
        body = names.index(pushes.body)
        joint = int(model.body_jntadr[body])
        if joint < 0 or model.jnt_type[joint] != mujoco.mjtJoint.mjJNT_FREE:
            raise UserError(
                f"{self._where}: pushes: the body {pushes.body!r} has no free joint, so it cannot "
                "be pushed"
            )
        self.pushes = (self.task.episode_steps - 1) // pushes.every
        begin = int(model.jnt_dofadr[joint])
        return begin, begin + 1


def _home_noise(model: mujoco.MjModel, home: Home, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Half widths of a home pose's noise on ``qpos (nq,)`` and ``qvel (nv,)``."""
    position, velocity = np.zeros(model.nq), np.zeros(model.nv)
    names = [model.joint(i).name for i in range(model.njnt)]
    if isinstance(home.noise, Mapping):
        for name in home.noise:
            if name not in names:
                raise UserError(
                    f"{where}: Home has noise on the unknown joint {name!r}{nearest(name, names)}"
                )
    for joint, name in enumerate(names):
        at, dof = int(model.jnt_qposadr[joint]), int(model.jnt_dofadr[joint])
        kind = mujoco.mjtJoint(int(model.jnt_type[joint]))
        if kind == mujoco.mjtJoint.mjJNT_FREE:
            position[at : at + 3] = home.free_noise
        elif kind != mujoco.mjtJoint.mjJNT_BALL:
            noise = home.noise
            position[at] = noise.get(name, 0.0) if isinstance(noise, Mapping) else noise
            velocity[dof] = home.velocity_noise
    return position, velocity


def _size(array: np.ndarray) -> int | None:
    return None if np.ndim(array) == 1 else np.shape(array)[1]


def _joined(parameters: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    """``(count, p)``: parameters next to each other."""
    columns = [np.asarray(array, np.float64).reshape(count, -1) for array in parameters.values()]
    return np.concatenate(columns, axis=1) if columns else np.zeros((count, 0))


def _check_parameter(name: str, array: Any, count: int, where: str) -> None:
    shape = np.shape(array)
    if len(shape) not in (1, 2) or shape[0] != count:
        raise UserError(
            f"{where} gives the parameter {name!r} with shape {shape} for {count} draws; it must "
            f"give ({count},) or ({count}, d)"
        )


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
