"""Batched simulators behind one interface (:mod:`reward_synth.simulation.interface`)."""

from reward_synth.simulation.mujoco_cpu import MujocoSimulator

__all__ = ["MujocoSimulator"]
