"""Trainings on many machines: a pool whose confined workers stand on the nodes of a Ray cluster."""

from reward_synth.evaluation.cluster.connection import check_engine
from reward_synth.evaluation.cluster.pool import ClusterPool

__all__ = ["ClusterPool", "check_engine"]
