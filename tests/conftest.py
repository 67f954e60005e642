"""What holds for every test: one thread per process, no one's keys, no deadlines, no films."""

import os

import hypothesis

from reward_synth.cli.doctor import MODEL_KEYS

# Before anything imports numpy or torch: the tests themselves run side by side.
os.environ["OMP_NUM_THREADS"] = "1"
# Software rendering takes longer than a small run; the tests of videos turn it on.
os.environ["MUJOCO_GL"] = "disable"
for name in (*MODEL_KEYS, "REWARD_SYNTH_RUNS_DIR"):
    os.environ.pop(name, None)

hypothesis.settings.register_profile("no-deadline", deadline=None)
hypothesis.settings.load_profile("no-deadline")
