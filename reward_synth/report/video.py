"""A policy filmed: rolled out, rendered off-screen by MuJoCo or by the task's environment, encoded
as H.264.

OpenGL's library is chosen before the first ``import mujoco`` of a process and may take the
process down with it, so filming happens in a child process, once per library until one works:

    python -m reward_synth.report.video TASK POLICY OUT SECONDS PARENT
"""

import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reward_synth.report.environment_video import EGL_PACKAGES, drawing_environment
from reward_synth.store.folder import TEMPORARY_PREFIX, writing
from reward_synth.task import VectorEnvironment, load_task
from sandbox.confinement import die_with

if TYPE_CHECKING:
    import mujoco

    from reward_synth.task import Task

WIDTH, HEIGHT = 640, 360
FRAMES_PER_SECOND = 30
SECONDS = 8.0
TIME_LIMIT = 300
"""Seconds of wall-clock for the child; osmesa draws some 30 to 100 frames per second."""
BACKENDS = ("egl", "osmesa")
OFF = ("disable", "disabled", "off", "false", "0")
"""Values of MUJOCO_GL with which MuJoCo itself keeps away from OpenGL."""
STILL = "-"
"""In place of a policy: one picture of an episode's start."""
NO_OPENGL = 3
"""Exit status of a child that found no usable OpenGL library."""
NO_VIDEO = 4
"""Exit status of a child that could not film for another reason, printed as one line."""
INSTALL_EGL = f"EnvPool finds no OpenGL library to draw with; {EGL_PACKAGES}, then try again"
INSTALL = (
    "no OpenGL library works here; install one (apt-get install libosmesa6 on Debian and Ubuntu), "
    "then try again"
)
RATE_FACTOR = "24"
"""x264's quality: 18 looks lossless, 28 is visibly poorer."""


class NoVideoError(Exception):
    """Why there is no video, in one line for people."""


class NoOpenGLError(NoVideoError):
    """There can be no video of anything here."""


def render_video(task_folder: Path, policy: Path, out: Path, *, seconds: float = SECONDS) -> None:
    """Film ``policy`` on the task for ``seconds`` of simulated time into the mp4 file ``out``.

    An episode that ends early is followed by the next.  Raises NoVideoError with the reason, and
    the package to install where it is a missing library; UserError when ``out`` is not writable.
    """
    _render(task_folder, str(policy), out, seconds)


def render_still(task_folder: Path, out: Path) -> None:
    """Draw the start of an episode of the task into the PNG file ``out``.

    Raises NoVideoError with the reason; UserError when ``out`` is not writable.
    """
    _render(task_folder, STILL, out, 0.0)


def _render(task_folder: Path, policy: str, out: Path, seconds: float) -> None:
    """In a child for each library of OpenGL, until one works."""
    partial = out.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}{out.suffix}")
    chosen = os.environ.get("MUJOCO_GL", "").strip().lower()
    if chosen in OFF:
        raise NoOpenGLError(f"videos are off (MUJOCO_GL={chosen}); unset MUJOCO_GL and try again")
    task = load_task(task_folder)
    pool = task.environment.pool if isinstance(task.environment, VectorEnvironment) else "mujoco"
    drawing = drawing_environment(pool)
    if drawing is None:
        raise NoOpenGLError(INSTALL_EGL)
    backends = dict.fromkeys((chosen, *BACKENDS) if chosen else BACKENDS)
    if pool == "envpool":
        backends = dict.fromkeys(["egl"])
    elif pool == "gymnasium":
        backends |= {"disable": None}  # many draw without OpenGL
    reason = INSTALL
    try:
        for backend in backends:
            variables = {"MUJOCO_GL": backend} | drawing
            reason = _film_in_child(variables, task_folder, policy, partial, seconds)
            if reason is None:
                with writing(out):
                    partial.replace(out)
                return
            if reason != INSTALL:
                break
    finally:
        partial.unlink(missing_ok=True)
    if pool == "envpool" and reason == INSTALL:
        reason = INSTALL_EGL
    raise NoOpenGLError(reason) if reason in (INSTALL, INSTALL_EGL) else NoVideoError(reason)


def film_beside(task_folder: Path, policy: Path) -> Path:
    """The video of a policy, next to it; made where it is not there yet.  Raises NoVideoError."""
    film = film_place(policy)
    if not film.is_file():
        render_video(task_folder, policy, film)
    return film


def film_place(policy: Path) -> Path:
    """Where a policy's video is, if it was made."""
    return policy.with_name("video.mp4")


def _film_in_child(
    variables: Mapping[str, str], task_folder: Path, policy: str, out: Path, seconds: float
) -> str | None:
    """None when the film is made, else why not."""
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, **variables}
    environment.pop("PYOPENGL_PLATFORM", None)  # MuJoCo sets it to match, and minds another
    environment["PYTHONPATH"] = os.pathsep.join(
        path for path in (root, os.environ.get("PYTHONPATH")) if path
    )
    command = [sys.executable, "-P", "-m", __name__]
    arguments = [str(task_folder), policy, str(out), str(seconds), str(os.getpid())]
    try:
        child = subprocess.run(
            command + arguments,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIME_LIMIT,
        )
    except subprocess.TimeoutExpired:
        return f"rendering took more than {TIME_LIMIT} s"
    if child.returncode == 0:
        return None
    told = (child.stdout if child.returncode == NO_VIDEO else child.stderr).strip().splitlines()
    # A library that does not work may end the process without a word.
    if child.returncode == NO_OPENGL or child.returncode < 0 or not told:
        return INSTALL
    what = "picture" if policy == STILL else "video"
    return f"the {what} could not be rendered: {told[-1]}"


# --- in the child ----------------------------------------------------------------------------


def film(task: "Task", policy_path: Path, out: Path, seconds: float) -> None:
    """Roll out, render and encode; for a process of its own."""
    import mujoco

    from reward_synth.report.scenery import Camera, lit

    model, episodes, step = roll_out(lit(task), policy_path, seconds)
    poses = np.array([pose for episode in episodes for pose in resampled(model, episode, step)])
    renderer = renderer_of(model)
    writer = encoder(out, (WIDTH, HEIGHT))
    camera = Camera(
        model,
        task.camera,
        poses[:, : model.nq],
        aspect=WIDTH / HEIGHT,
        frames_per_second=FRAMES_PER_SECOND,
    )
    data = mujoco.MjData(model)
    with contextlib.closing(renderer):
        for frame, pose in enumerate(poses):
            writer.send(drawn(renderer, data, pose, camera.at(frame)))
    writer.close()


def draw_still(task: "Task", out: Path) -> None:
    """Draw an episode's start; for a process of its own."""
    import imageio.v3 as imageio

    from reward_synth.evaluation.score import EVALUATION_SEED

    if task.environment is not None:
        from reward_synth.report.environment_video import first_frame

        imageio.imwrite(out, first_frame(task))
        return
    import mujoco

    from reward_synth.report.scenery import Camera, lit
    from reward_synth.simulation.mujoco_cpu import MujocoSimulator

    simulator = MujocoSimulator(lit(task), 1)
    simulator.reset(EVALUATION_SEED)
    model, pose = simulator.model, simulator.poses()
    renderer = renderer_of(model)
    camera = Camera(
        model, task.camera, pose[:, : model.nq], aspect=WIDTH / HEIGHT, frames_per_second=1
    )
    with contextlib.closing(renderer):
        imageio.imwrite(out, drawn(renderer, mujoco.MjData(model), pose[0], camera.at(0)))
    simulator.close()


def drawn(
    renderer: "mujoco.Renderer", data: "mujoco.MjData", pose: np.ndarray, camera: Any
) -> np.ndarray:
    """A frame of a pose ``(nq + 7 nmocap,)``."""
    import mujoco

    model = renderer.model
    data.qpos[:] = pose[: model.nq]
    data.mocap_pos.flat = pose[model.nq : model.nq + 3 * model.nmocap]
    data.mocap_quat.flat = pose[model.nq + 3 * model.nmocap :]
    mujoco.mj_forward(model, data)
    renderer.update_scene(data, camera)
    return np.ascontiguousarray(renderer.render())


def renderer_of(model: "mujoco.MjModel") -> "mujoco.Renderer":
    """A renderer of films' size, or the end of this process where OpenGL does not work."""
    import mujoco

    model.vis.global_.offwidth, model.vis.global_.offheight = WIDTH, HEIGHT
    # Most reports are drawn without a GPU, where these and reflections cost most of the time.
    model.vis.quality.offsamples, model.vis.quality.shadowsize = 2, 1024
    try:
        renderer = mujoco.Renderer(model, HEIGHT, WIDTH)
    except Exception as error:  # each library fails in its own way
        print(error)
        raise SystemExit(NO_OPENGL) from error
    renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
    return renderer


def film_environment(task: "Task", policy_path: Path, out: Path, seconds: float) -> None:
    """Roll out, let the environment draw, and encode; for a process of its own."""
    from reward_synth.report.environment_video import frames

    writer = None
    for frame in frames(task, policy_path, seconds, FRAMES_PER_SECOND):
        writer = writer or encoder(out, (frame.shape[1], frame.shape[0]))
        writer.send(np.ascontiguousarray(frame))
    if writer is not None:
        writer.close()


def encoder(out: Path, size: tuple[int, int]) -> Generator[None, np.ndarray | None, None]:
    """Takes frames of ``size`` (width, height) by ``send``, and writes the film when closed."""
    import imageio_ffmpeg

    writer = imageio_ffmpeg.write_frames(
        str(out),
        size,
        fps=FRAMES_PER_SECOND,
        codec="libx264",
        pix_fmt_out="yuv420p",
        quality=None,  # pyright: ignore[reportArgumentType] - the rate factor is given instead
        macro_block_size=2,
        output_params=["-crf", RATE_FACTOR, "-movflags", "+faststart"],
    )
    writer.send(None)
    return writer


def roll_out(
    task: "Task", policy_path: Path, seconds: float
) -> tuple["mujoco.MjModel", list[np.ndarray], float]:
    """The model, one ``(T, nq + 7 nmocap)`` array of poses per episode, and a control step's
    seconds."""
    from reward_synth.evaluation.score import EVALUATION_SEED
    from reward_synth.simulation.mujoco_cpu import MujocoSimulator
    from reward_synth.simulation.policy import load_policy

    simulator = MujocoSimulator(task, 1)
    model = simulator.model
    policy = load_policy(policy_path, simulator.observation_size, simulator.action_space)
    observation = simulator.reset(EVALUATION_SEED)
    poses: list[list[np.ndarray]] = [[]]
    for _ in range(round(seconds / simulator.control_step)):
        reached = simulator.step(policy(observation))
        observation = reached.observation
        if reached.first[0] and poses[-1]:
            poses.append([])
        poses[-1].append(simulator.poses(reached.record)[0])
    simulator.close()
    return model, [np.array(episode) for episode in poses], simulator.control_step


def resampled(model: "mujoco.MjModel", episode: np.ndarray, step: float) -> list[np.ndarray]:
    """An episode's poses ``(T, nq + 7 nmocap)``, ``step`` seconds apart, at the film's rate.

    Mocap bodies stand still between two steps.
    """
    import mujoco

    velocity = np.empty(model.nv)
    poses = []
    for k in range(round(len(episode) * step * FRAMES_PER_SECOND)):
        place = min(k / FRAMES_PER_SECOND / step, len(episode) - 1)
        before = int(place)
        pose = episode[before].copy()
        qpos = pose[: model.nq]
        if place > before:
            following = episode[before + 1, : model.nq]
            mujoco.mj_differentiatePos(model, velocity, 1.0, qpos, following)
            mujoco.mj_integratePos(model, qpos, velocity, place - before)
        poses.append(pose)
    return poses


def main() -> None:
    task_folder, policy, out, seconds, parent = sys.argv[1:]
    die_with(int(parent))
    try:
        import mujoco  # noqa: F401 - binds the library that MUJOCO_GL names
    except Exception as error:
        print(error)
        raise SystemExit(NO_OPENGL) from error
    from reward_synth.errors import UserError

    try:
        task = load_task(task_folder)
        if policy == STILL:
            draw_still(task, Path(out))
        else:
            filmed = film if task.environment is None else film_environment
            filmed(task, Path(policy), Path(out), float(seconds))
    except (UserError, OSError) as error:
        print(" ".join(str(error).split()))
        raise SystemExit(NO_VIDEO) from error


if __name__ == "__main__":
    main()
