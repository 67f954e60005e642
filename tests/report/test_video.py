"""Filming a policy; where no OpenGL library is there, the reason and what to install."""

import os
import subprocess
import sys
import time
from pathlib import Path

import imageio_ffmpeg
import mujoco
import numpy as np
import pytest

from reward_synth.report.scenery import Camera, fitting_distance, lit, moving_boxes, view
from reward_synth.report.video import NoVideoError, render_video, resampled, roll_out
from reward_synth.simulation.model import build_model
from reward_synth.task import load_task
from tests.report.recorded_run import Recorder


@pytest.fixture(autouse=True)
def films_are_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MUJOCO_GL")


def test_films_can_be_turned_off(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MUJOCO_GL", "disable")
    with pytest.raises(NoVideoError, match="unset MUJOCO_GL"):
        render_video(recorder.task.folder, recorder.policy, tmp_path / "video.mp4")


def test_a_film_is_made_or_the_missing_package_is_named(recorder: Recorder, tmp_path: Path):
    film = tmp_path / "video.mp4"
    try:
        render_video(recorder.task.folder, recorder.policy, film, seconds=0.4)
    except NoVideoError as reason:  # a machine without OpenGL
        assert "apt-get install libosmesa6" in str(reason)
        assert not film.exists()
        return
    reader = imageio_ffmpeg.read_frames(str(film))
    facts = next(reader)
    frames = [np.frombuffer(frame, np.uint8) for frame in reader]
    assert (facts["size"], facts["fps"], facts["codec"]) == ((640, 360), 30.0, "h264")
    assert facts["pix_fmt"].startswith("yuv420p")
    assert len(frames) == 12
    assert frames[0].std() > 5  # not one flat colour
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 50  # something moves


def test_without_an_opengl_library_the_package_to_install_is_named(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # MuJoCo refuses a library of this name as it refuses one that is not installed.
    monkeypatch.setattr("reward_synth.report.video.BACKENDS", ("missing",))
    with pytest.raises(NoVideoError, match="apt-get install libosmesa6"):
        render_video(recorder.task.folder, recorder.policy, tmp_path / "video.mp4")
    assert not list(tmp_path.glob("*.mp4"))


def test_a_policy_that_is_none_is_told_in_one_line(recorder: Recorder, tmp_path: Path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing")
    with pytest.raises(NoVideoError) as reason:
        render_video(recorder.task.folder, broken, tmp_path / "video.mp4")
    told = str(reason.value)
    assert "broken.safetensors" in told or "libosmesa6" in told
    assert "\n" not in told


def test_a_film_dies_with_who_asked_for_it(recorder: Recorder, tmp_path: Path):
    arguments = [recorder.task.folder, recorder.policy, tmp_path / "video.mp4"]
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from reward_synth.report.video import render_video\n"
        "render_video(*map(Path, sys.argv[1:]), seconds=600.0)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "MUJOCO_GL": "osmesa"},
        stderr=subprocess.DEVNULL,
    )
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    while parent.poll() is None and not children.read_text():
        time.sleep(0.01)
    films = [Path("/proc") / child for child in children.read_text().split()]
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20  # a film of ten minutes takes longer
    while any(film.exists() for film in films):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_poses_come_at_the_film_s_rate_between_those_of_the_simulation(recorder: Recorder):
    model, episodes, step = roll_out(recorder.task, recorder.policy, seconds=2.0)
    (episode,) = episodes
    assert episode.shape == (50, 2)
    poses = resampled(model, episode, step)
    assert len(poses) == 60
    # Frame 3 is at 0.1 s, halfway between the poses at 0.08 s and 0.12 s.
    assert poses[3] == pytest.approx((episode[2] + episode[3]) / 2)


def test_what_has_no_light_and_sky_gets_them_and_moves_as_before():
    task = load_task("reacher-reach")
    plain, shown = build_model(task).model, build_model(lit(task)).model
    skies = [int(mujoco.mjtTexture.mjTEXTURE_SKYBOX) in m.tex_type for m in (plain, shown)]
    assert skies == [False, True]
    assert np.array_equal(plain.body_mass, shown.body_mass)
    cheetah = load_task("cheetah-run")  # brings its own
    assert build_model(lit(cheetah)).model.ntex == build_model(cheetah).model.ntex


@pytest.mark.parametrize(
    ("size", "elevation"), [((2.0, 0.0, 1.0), -10.0), ((1, 1, 0.02), -70.0), ((1, 1, 1), -22.0)]
)
def test_a_flat_motion_is_looked_at_face_on(size: tuple[float, ...], elevation: float):
    assert view(np.array(size))[1] == elevation


def test_the_camera_stands_far_enough_to_see_everything():
    near = fitting_distance(np.array([2.0, 0.0, 1.0]), 90.0, 0.0, 45.0, aspect=16 / 9)
    # 1.125 m high at this width, times the margin, seen at 45 degrees.
    assert near == pytest.approx(1.2 * (1.125 / 2) / np.tan(np.pi / 8))


def test_what_travels_is_followed_and_what_stays_is_not(recorder: Recorder):
    model = build_model(load_task("cheetah-run")).model
    poses = np.zeros((40, model.nq))
    poses[:, 0] = np.linspace(0, 20, 40)
    settings = {"aspect": 16 / 9, "frames_per_second": 30}
    following = Camera(model, None, poses, **settings)
    first = following.at(0).lookat.copy()  # type: ignore[union-attr]
    last = following.at(39).lookat.copy()  # type: ignore[union-attr]
    assert last[0] - first[0] == pytest.approx(20, abs=1.5)
    low, high, _ = moving_boxes(model, poses)
    standing = Camera(model, None, poses[:2], **settings)
    assert np.array_equal(standing.at(0).lookat, standing.at(1).lookat)  # type: ignore[union-attr]
    assert (high - low).max() < 1.5
    assert Camera(model, "track", poses, **settings).at(3) == "track"


def test_filming_leaves_opengl_out_of_this_process():
    """Importing the report must not choose a library: a child does, for itself."""
    code = (
        "import sys; import reward_synth.report.html; "
        "print([m for m in ('mujoco', 'OpenGL', 'imageio_ffmpeg') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.stdout.strip() == "[]"
