"""Trainings on many machines: a pool whose confined workers stand on the nodes of a Ray cluster."""

from reward_synth.evaluation.cluster.connection import join
from reward_synth.evaluation.cluster.pool import ClusterPool

__all__ = ["ClusterPool", "join"]
