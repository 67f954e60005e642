"""Ctrl-C, at bad moments too: a line and exit status 130, never a traceback."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from reward_synth.cli.main import is_interruption
from tests.cli.command import CHECKOUT, environment, interruptible

WAITS_AT_ITS_EXIT = """
import threading, time
from reward_synth.cli.main import run
threading.Thread(target=time.sleep, args=(60,)).start()
run(["--version"])
"""


def test_an_impatient_second_one_ends_the_process_as_it_stands():
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS_AT_ITS_EXIT],
        cwd=CHECKOUT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip()
    status = Path(f"/proc/{process.pid}/status")
    while caught(status.read_text()) & (1 << (signal.SIGINT - 1)):  # on its way to its exit
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1] == ""
    assert process.returncode == -signal.SIGINT


def caught(status: str) -> int:
    """The set of signals that a process has a handler for."""
    [line] = [line for line in status.splitlines() if line.startswith("SigCgt:")]
    return int(line.split()[1], 16)


def test_one_that_meets_the_import_of_an_extension_is_no_bug():
    try:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as interruption:
            raise ImportError("initialization failed") from interruption
    except ImportError as error:
        assert is_interruption(error)
    assert not is_interruption(ImportError("no module named x"))
