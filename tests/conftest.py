"""What holds for every test: one thread per process, no one's keys, the same examples, no films."""

import os

import hypothesis

from reward_synth.cli.doctor import MODEL_KEYS

# Before anything imports numpy or torch: the tests themselves run side by side.
os.environ["OMP_NUM_THREADS"] = "1"
# Software rendering takes longer than a small run; the tests of videos turn it on.
os.environ["MUJOCO_GL"] = "disable"
for name in (*MODEL_KEYS, "REWARD_SYNTH_RUNS_DIR"):
    os.environ.pop(name, None)

# The same examples each time; HYPOTHESIS_PROFILE=search looks for others.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
