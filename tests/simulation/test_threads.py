"""Several simulators made at once, as runs that share a process make them."""

import subprocess
import sys

SCRIPT = """
import sys, threading
from reward_synth.simulation.initial import silence_warnings

sys.setswitchinterval(1e-6)
together = threading.Barrier(8)

def begin():
    together.wait()
    silence_warnings()

threads = [threading.Thread(target=begin) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("all")
"""


def test_the_first_simulators_of_a_process_may_be_made_at_once():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "all\n", done.stderr
