"""Batched simulators behind one interface (:mod:`reward_synth.simulation.interface`)."""
