"""Keys and passwords stay where they are: a search with canaries, and everything that it leaves."""

import base64
import contextlib
import itertools
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from urllib.parse import quote

from tests.cli.command import Outcome, environment
from tests.servers import CompletionServer

KEYS = {
    "OPENAI_API_KEY": "sk-canary-0f3a9c55e1",
    "ANTHROPIC_API_KEY": "canary-1b77d0aa42",
    "GEMINI_API_KEY": "AIzaCanary-2c96be18",
    "AZURE_API_KEY": "canary3d41f6007755",
    "AWS_SECRET_ACCESS_KEY": "canary+4e/82aa9910bd",
    "HF_TOKEN": "hf_canary5f00cd81",
}
NOT_SHOWN = b"(a process that does not let itself be read)"
PASSWORD = "canary/6a-pass:word"
USER_AND_PASSWORD = f"robot:{PASSWORD}"
SECRETS = [*KEYS.values(), PASSWORD]
PROGRAM = "```python\ndef compute_reward(pole_up):\n    return pole_up, {'up': pole_up}\n```"
SMALL = (
    "--samples", 1, "--iterations", 2, "--steps", 512, "--workers", 1, "--max-tokens", 1,
)  # fmt: skip


def spellings(secret: str) -> set[bytes]:
    """How a secret may stand in a file."""
    encoded = {base64.b64encode(text.encode()).decode() for text in (secret, f"robot:{secret}")}
    return {text.encode() for text in {secret, quote(secret, safe=""), *encoded}}


CANARIES = set().union(*map(spellings, SECRETS))


def assert_clean(data: bytes, where: object) -> None:
    found = [canary for canary in CANARIES if canary in data]
    assert not found, f"{where} holds {found[0]!r}"


class Workers:
    """Looks at the sandbox workers with a working folder below ``place`` while a process lives."""

    def __init__(self, process: "subprocess.Popen[str]", place: Path) -> None:
        self.process = process
        self.place = os.fsencode(place)
        self.shown: dict[str, bytes] = {}
        """What ``/proc`` shows of each to the user who runs them, by pid."""
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self) -> None:
        pause = threading.Event()
        while self.process.poll() is None:
            for name in os.listdir("/proc"):
                if name.isdecimal() and name not in self.shown:
                    with contextlib.suppress(OSError):  # it has ended
                        self.look(Path("/proc", name))
            pause.wait(0.2)

    def look(self, folder: Path) -> None:
        command = (folder / "cmdline").read_bytes()
        if b"sandbox.worker" not in command or self.place not in command:
            return
        try:
            shown = (folder / "environ").read_bytes()
        except PermissionError:
            shown = NOT_SHOWN
        if not shown:
            return  # between two programs, or at its end; it is looked at again
        self.shown[folder.name] = command + b"\0" + shown


class Shell:
    """A home of its own with secrets in the environment, and whatever is run there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.workers: dict[str, bytes] = {}
        self.variables = {
            **KEYS,
            "HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "HTTPS_PROXY": f"http://{quote(USER_AND_PASSWORD)}@127.0.0.1:9",
        }
        (home / "tmp").mkdir(parents=True)

    def __call__(self, *arguments: object, status: int = 0) -> Outcome:
        """Run a command; what it prints, its workers and all files must be clean."""
        process = subprocess.Popen(
            [sys.executable, "-m", "reward_synth.cli", *map(str, arguments)],
            cwd=self.home,
            env=environment(**self.variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        workers = Workers(process, self.home / "tmp")
        out, err = process.communicate()
        workers.thread.join()
        assert process.returncode == status, err
        assert_clean((out + err).encode(), f"what {arguments[0]} printed")
        self.workers |= workers.shown
        for pid, shown in self.workers.items():
            assert_clean(shown, f"worker {pid}")
        for path in self.home.rglob("*"):
            if path.is_file():
                assert_clean(path.read_bytes(), path)
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    for name in archive.namelist():
                        assert_clean(archive.read(name), f"{path}/{name}")
        return Outcome(process.returncode, out, err)


def test_what_a_search_prints_leaves_and_gives_its_workers_holds_no_secret(tmp_path: Path):
    shell = Shell(tmp_path / "home")
    pair = base64.b64encode(USER_AND_PASSWORD.encode()).decode()
    chatty = f"You sent {pair}, and that is {USER_AND_PASSWORD}.\n\n{PROGRAM}"
    with CompletionServer([chatty, PROGRAM], faults=["echo"]) as server:
        plain_url = server.base_url
        url = plain_url.replace("://", f"://robot:{quote(PASSWORD, safe='')}@")
        # At temperature 0, so that answers are remembered on disk as well.
        kept = ("--record", "exchanges.jsonl", "--temperature", 0)
        server_options = ("--model", "test", "--base-url", url, *kept)
        stopped = shell("run", "cartpole-swingup", *SMALL, *server_options, "--json", status=3)
        assert server.keys == [f"Basic {pair}"] * 2, "the server did get it, and repeated it"
        run = stopped.json["run"]
        assert "--max-tokens 1 is reached" in stopped.json["stopped"]
        assert f"go on with: reward-synth run --resume {run} --max-tokens MORE" in stopped.err
        completion = shell.home / "runs" / run / "candidates" / "0000" / "completion.md"
        assert completion.read_text().startswith("You sent <password>, and that is <password>.")
        assert len(shell.workers) >= 1
        for shown in shell.workers.values():
            assert b"PATH=/usr/bin:/bin" in shown or shown.endswith(NOT_SHOWN)

        refused = shell("run", "--resume", run, status=2)
        assert "give its whole --base-url again" in refused.err
        shell("run", "--resume", run, "--base-url", url, "--max-tokens", 10**7)
    assert "You sent <password>" in (shell.home / "exchanges.jsonl").read_text()
    assert len(list((shell.home / "cache").rglob("completions/*.json"))) == 2
    config = (shell.home / "runs" / run / "config.yaml").read_text()
    assert f"base_url: {plain_url.replace('://', '://redacted@')}\n" in config
    shell("report", run)
    policy = shell.home / "runs" / run / "best" / "policy.safetensors"
    shell("export-policy", "cartpole-swingup", "--policy", policy, "--output", "policy.zip")


def test_no_key_in_what_is_said_of_endless_failure_nor_in_a_traceback(tmp_path: Path):
    shell = Shell(tmp_path / "home")
    start = ("run", "cartpole-swingup", *SMALL, "--max-failures", 1, "--model", "test")
    with CompletionServer([PROGRAM], faults=itertools.repeat("echo")) as server:
        told = shell(*start, "--base-url", server.base_url, status=3)
        assert server.keys == [f"Bearer {KEYS['OPENAI_API_KEY']}"]
        assert told.err.splitlines()[-1].startswith("error: ")
        assert "failed 1 times, last with 500: cannot serve" in told.err
        # litellm takes the address from the environment, and tells it in its errors.
        password = quote(USER_AND_PASSWORD.partition(":")[2], safe="")
        shell.variables["OPENAI_BASE_URL"] = server.base_url.replace("://", f"://robot:{password}@")
        provider = [*start[:-1], "openai/gpt-4o"]
        told = shell(*provider, "--debug", status=1)
        assert "Traceback" in told.err
        assert "last with 500" in told.err


def test_no_key_in_the_line_of_a_defect(tmp_path: Path):
    breaks = (
        "import os, sys\n"
        "import reward_synth.task\n"
        "def list_tasks(): raise KeyError(os.environ['AZURE_API_KEY'])\n"
        "reward_synth.task.list_tasks = list_tasks\n"
        "from reward_synth.cli.main import run\n"
        "run(['tasks', *sys.argv[1:]])\n"
    )
    for arguments, words in (([], "this is a bug"), (["--debug"], "Traceback")):
        done = subprocess.run(
            [sys.executable, "-c", breaks, *arguments],
            env=environment(**KEYS),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1
        assert words in done.stderr.decode()
        assert b"<AZURE_API_KEY>" in done.stderr
        assert_clean(done.stderr, "stderr")


def test_no_key_in_the_traceback_of_a_thread():
    breaks = (
        "import os, threading\n"
        "from reward_synth.cli import main\n"
        "def fail(): raise KeyError(os.environ['AZURE_API_KEY'])\n"
        "def start():\n"
        "    thread = threading.Thread(target=fail)\n"
        "    thread.start()\n"
        "    thread.join()\n"
        "main.app.command('start')(start)\n"
        "main.run(['start'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", breaks],
        env=environment(**KEYS),
        capture_output=True,
        check=False,
    )
    assert b"KeyError: '<AZURE_API_KEY>'" in done.stderr
    assert_clean(done.stdout + done.stderr, "a thread's traceback")
