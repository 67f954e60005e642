"""What a film shows: the light, the sky, and where the camera stands.

MuJoCo's example models differ in what they bring along; a model without light, sky or camera gets
them here.  None of it touches the physics.  Imported only where a film is made.
"""

from dataclasses import replace

import mujoco
import numpy as np

from reward_synth.task import Task

HORIZON, ZENITH = (0.86, 0.89, 0.93), (0.47, 0.58, 0.72)
"""Colours of the sky, RGB in [0, 1]."""
SKY_SIZE = 256
AMBIENT, DIFFUSE = 0.45, 0.55
"""Of the head light, for models without any light."""
MARGIN = 1.2
"""Room around what moves, as a factor."""
FLAT = 0.4
"""A motion whose least extent is below this share of the others is looked at face on."""
TRAVELS = 5.0
"""What moves over more than this many of its own sizes is followed."""
SMOOTHING = 0.3
"""Seconds over which the place that a following camera looks at is averaged."""
SIDE, ABOVE, CORNER = (90.0, -10.0), (90.0, -70.0), (125.0, -22.0)
"""Azimuth and elevation of the views, degrees."""


def lit(task: Task) -> Task:
    """The task with light and sky added to its model where it has none."""

    def edit(spec) -> None:
        if task.edit_model is not None:
            task.edit_model(spec)
        if not spec.lights:
            spec.visual.headlight.ambient = [AMBIENT] * 3
            spec.visual.headlight.diffuse = [DIFFUSE] * 3
        if all(texture.type != mujoco.mjtTexture.mjTEXTURE_SKYBOX for texture in spec.textures):
            spec.add_texture(
                name="reward_synth:sky",
                type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
                builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
                rgb1=ZENITH,
                rgb2=HORIZON,
                width=SKY_SIZE,
                height=SKY_SIZE * 6,
            )

    return replace(task, edit_model=edit)


class Camera:
    """The task's own camera, or a free one that shows the whole motion.

    ``poses (F, nq)`` are the film's frames, ``aspect`` its width over its height.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        name: str | None,
        poses: np.ndarray,
        *,
        aspect: float,
        frames_per_second: float,
    ) -> None:
        self._name = name
        if name is not None:
            return
        low, high, reach = moving_boxes(model, poses)
        size = (high - low).max(axis=0)
        centre = (low + high) / 2
        swept = high.max(axis=0) - low.min(axis=0)
        if (swept > TRAVELS * (size.max() + reach)).any():
            window = max(1, round(SMOOTHING * frames_per_second))
            self._look_at = smoothed(centre, window)
        else:
            self._look_at = np.broadcast_to((high.max(axis=0) + low.min(axis=0)) / 2, centre.shape)
            size = swept
        self._free = mujoco.MjvCamera()
        self._free.azimuth, self._free.elevation = view(size)
        self._free.distance = fitting_distance(
            size + 2 * reach,
            self._free.azimuth,
            self._free.elevation,
            model.vis.global_.fovy,
            aspect,
        )

    def at(self, frame: int) -> str | mujoco.MjvCamera:
        """The camera for a frame of the film."""
        if self._name is not None:
            return self._name
        self._free.lookat[:] = self._look_at[frame]
        return self._free


def moving_boxes(model: mujoco.MjModel, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The box around the centres of all geoms that can move, and how far geoms reach beyond it.

    Gives low and high corners ``(F, 3)`` for each pose, and metres.
    """
    moving = model.body_weldid[model.geom_bodyid] != 0
    if not moving.any():
        moving[:] = True
    data = mujoco.MjData(model)
    low, high = np.empty((len(poses), 3)), np.empty((len(poses), 3))
    for i, qpos in enumerate(poses):
        data.qpos[:] = qpos
        mujoco.mj_kinematics(model, data)
        low[i] = data.geom_xpos[moving].min(axis=0)
        high[i] = data.geom_xpos[moving].max(axis=0)
    return low, high, float(model.geom_rbound[moving].max())


def view(size: np.ndarray) -> tuple[float, float]:
    """Azimuth and elevation, degrees, that show a motion of this extent ``(3,)`` best."""
    thin = int(np.argmin(size))
    if size[thin] > FLAT * np.sort(size)[1]:
        return CORNER
    azimuth, elevation = ABOVE if thin == 2 else SIDE
    return (azimuth - 90.0, elevation) if thin == 0 else (azimuth, elevation)


def fitting_distance(
    size: np.ndarray, azimuth: float, elevation: float, field_of_view: float, aspect: float
) -> float:
    """Metres from the centre at which a box of this size fills the picture.

    ``field_of_view`` is the vertical one, degrees.
    """
    a, e = np.radians([azimuth, elevation])
    forward = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    right = np.array([np.sin(a), -np.cos(a), 0.0])
    up = np.cross(right, forward)
    width, height, depth = (float(np.abs(axis) @ size) for axis in (right, up, forward))
    half = max(height, width / aspect) / 2
    return MARGIN * half / np.tan(np.radians(field_of_view) / 2) + depth / 2


def smoothed(track: np.ndarray, window: int) -> np.ndarray:
    """``(F, 3)`` averaged over ``window`` frames, its ends held."""
    padded = np.pad(track, ((window // 2, window - 1 - window // 2), (0, 0)), mode="edge")
    kernel = np.ones(window) / window
    return np.stack([np.convolve(padded[:, i], kernel, mode="valid") for i in range(3)], axis=-1)
