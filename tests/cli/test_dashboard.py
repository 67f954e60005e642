"""``reward-synth dashboard`` and ``feedback --web``: links, Ctrl-C, and mistakes."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from reward_synth.cli import dashboard
from reward_synth.errors import UserError
from reward_synth.store import Store
from tests.cli.command import environment, interruptible, reward_synth
from tests.cli.test_bad_input import assert_one_line
from tests.report.recorded_run import Recorder


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    runs_dir = tmp_path_factory.mktemp("runs")
    with Store.open(runs_dir) as store:
        return runs_dir, Recorder(store, runs_dir).whole_run()


def test_a_link_opens_the_page_until_it_is_interrupted(recorded: tuple[Path, str]):
    runs_dir, run = recorded
    options = ("--web", "--who", "Ada", "--port", "0", "--runs-dir", str(runs_dir))
    with subprocess.Popen(
        [sys.executable, "-m", "reward_synth.cli", "feedback", run, *options],
        env=environment(PYTHONUNBUFFERED="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    ) as serving:
        assert serving.stdout is not None and serving.stderr is not None
        link = next(line for line in serving.stdout if line.startswith("http")).strip()
        page = httpx.get(link, follow_redirects=False, timeout=60)
        assert page.headers["location"] == f"/runs/{run}/feedback"
        root = link.split("/enter")[0]
        seen = httpx.get(root + page.headers["location"], cookies=page.cookies, timeout=60)
        assert seen.status_code == 200 and 'value="Ada"' in seen.text
        assert "No video: videos are off" in seen.text
        assert httpx.get(link, timeout=60).status_code == 403
        serving.send_signal(signal.SIGINT)
        assert serving.wait(60) == 0
        assert serving.stderr.read() == ""


def test_a_port_that_is_taken_is_one_line(recorded: tuple[Path, str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = reward_synth("dashboard", "--port", port, "--runs-dir", recorded[0])
    assert_one_line(told, f"port {port} is taken")


def test_other_machines_come_in_with_a_password_only(recorded: tuple[Path, str]):
    options = ("dashboard", "--host", "0.0.0.0", "--runs-dir", recorded[0])
    told = reward_synth(*options, REWARD_SYNTH_PASSWORD="short")
    assert_one_line(told, "set REWARD_SYNTH_PASSWORD to a password of 8 characters or more")
    assert "short " not in told.out + told.err


def test_what_does_not_go_together_is_said(recorded: tuple[Path, str], tmp_path: Path):
    runs_dir, run = recorded
    told = reward_synth("feedback", run, "--web", "--say", "hm", "--runs-dir", runs_dir)
    assert_one_line(told, "--web is where you say it")
    assert_one_line(reward_synth("dashboard", "--runs-dir", tmp_path / "none"), "there are no runs")


def test_a_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dashboard, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'reward-synth\[web\]'"):
        dashboard.check_extra()
