"""The probe's measurements."""

import gc

import numpy as np

from sandbox.probe import seconds_per_call


def test_a_program_is_not_timed_while_garbage_is_collected():
    kept: list[object] = []

    def building(speed: np.ndarray):
        """Enough new objects that the next collection is due in the middle of a call."""
        kept.extend([{} for _ in range(20_000)])
        return speed, {}

    collections: list[str] = []
    gc.callbacks.append(hear := lambda phase, _: collections.append(phase))
    try:
        building(np.zeros(16))
        assert collections, "or this test says nothing"
        collections.clear()
        assert seconds_per_call(building, {"speed": np.zeros(16)}) > 0
        assert not collections
        assert gc.isenabled()
    finally:
        gc.callbacks.remove(hear)
