"""Filming a policy in environments of others, by their own renderers."""

from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from reward_synth.report.environment_video import scaled
from reward_synth.report.video import NoVideoError, render_video
from sandbox.messages import Member, TrainJob
from sandbox.training import train

DRAWING = '''
import gymnasium
import numpy as np

from reward_synth.task import *


class Brighter(gymnasium.Env):
    """Grey that gets brighter with each step, from the episode's start on."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 15}
    observation_space = gymnasium.spaces.Box(0, 99, (1,))
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        self.count = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.count += 1
        return np.full(1, self.count, np.float32), 1.0, False, False, {}

    def render(self):
        return np.full((180, 1280, 3), 25 * self.count, np.uint8)


if "Brighter-v0" not in gymnasium.registry:
    gymnasium.register("Brighter-v0", Brighter)
task = Task(
    description="Stay.",
    variables={
        "seen": Variable("the count", "1", Observed()),
        "native_reward": Variable("the environment's", "1", NativeReward(), public=False),
    },
    observation=("seen",),
    episode_steps=5,
    training_steps=8,
    environment=VectorEnvironment("Brighter-v0"),
    ppo=PpoSettings(environments=2, rollout_steps=4, minibatch_size=8, hidden_sizes=(4,)),
)
'''
FETCH = """
from reward_synth.task import *

task = Task(
    description="Reach.",
    variables={"native_reward": Variable("its own", "1", NativeReward()),
               "seen": Variable("the arm", "1", Observed("observation"))},
    observation=("seen",),
    episode_steps=50,
    training_steps=8,
    environment=VectorEnvironment("FetchReach-v4", pool="envpool"),
    ppo=PpoSettings(environments=2, rollout_steps=4, minibatch_size=8, hidden_sizes=(4,)),
)
"""
PROGRAM = """
def compute_reward(native_reward):
    return native_reward, {"native": native_reward}
"""


def trained(folder: Path, text: str) -> Path:
    """The policy of a short training on the task of this text, in its folder."""
    (folder / "task.py").write_text(text)
    member = Member(name="policy", program=PROGRAM, seed=0, own=True)
    [result] = train(
        TrainJob(task=str(folder), members=[member], folder=str(folder), steps=8), lambda _: None
    ).members
    assert result.report is not None, result.failure
    return folder / "policy.safetensors"


def read(film: Path) -> tuple[tuple[int, int], list[np.ndarray]]:
    reader = imageio_ffmpeg.read_frames(str(film))
    width, height = next(reader)["size"]
    return (width, height), [np.frombuffer(f, np.uint8).reshape(height, width, 3) for f in reader]


@pytest.fixture(autouse=True)
def films_are_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)


def test_an_environment_that_draws_is_filmed_in_its_own_time(tmp_path: Path) -> None:
    policy = trained(tmp_path, DRAWING)
    render_video(tmp_path, policy, tmp_path / "video.mp4", seconds=0.4)
    size, frames = read(tmp_path / "video.mp4")
    assert size == (640, 90)
    # Two frames a step, and the fifth step begins the next episode.
    expected = np.repeat([25, 50, 75, 100, 0, 25], 2)
    np.testing.assert_allclose([frame.mean() for frame in frames], expected, atol=4)


def test_an_environment_that_does_not_draw_says_so(tmp_path: Path) -> None:
    policy = trained(
        tmp_path, DRAWING.replace('"render_modes": ["rgb_array"]', '"render_modes": []')
    )
    with pytest.raises(NoVideoError, match="Brighter-v0 draws no pictures"):
        render_video(tmp_path, policy, tmp_path / "video.mp4", seconds=0.4)


def test_envpool_is_filmed_or_the_missing_packages_are_named(tmp_path: Path) -> None:
    policy = trained(tmp_path, FETCH)
    try:
        render_video(tmp_path, policy, tmp_path / "video.mp4", seconds=0.1)
    except NoVideoError as reason:  # a machine without OpenGL
        assert "apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri" in str(reason)
        return
    size, frames = read(tmp_path / "video.mp4")
    assert size[0] <= 640 and len(frames) == 3
    assert frames[0].std() > 5


def test_without_egl_the_packages_to_install_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = trained(tmp_path, FETCH)
    # A process that has not loaded EGL's library is ended by EnvPool's renderer.
    off = {"MUJOCO_GL": "disable"}
    monkeypatch.setattr("reward_synth.report.video.drawing_environment", lambda pool: off)
    with pytest.raises(NoVideoError, match="apt-get install libegl1 libegl-mesa0"):
        render_video(tmp_path, policy, tmp_path / "video.mp4", seconds=0.1)
    assert not list(tmp_path.glob("*.mp4"))


def test_frames_fit_a_film() -> None:
    assert scaled(np.zeros((401, 601, 3), np.uint8)).shape == (400, 600, 3)
    assert scaled(np.zeros((1080, 1920, 3), np.uint8)).shape == (360, 640, 3)
