"""The connection to a Ray cluster, and what of it a job takes."""

import importlib.util
import logging
import os
import socket
import threading
from typing import Any

from reward_synth.errors import UserError

RUNNING, OWN = "auto", "local"
"""Addresses: the cluster that runs on this machine, and a new one on this machine alone."""
CORES_OF_JOB = 1
MEMORY_OF_JOB = 2 * 2**30
"""Bytes that Ray sets aside for each job: a population of eight takes a quarter of it at its peak,
the worker that it is forked from and the process that keeps that worker included."""
KNOCK_SECONDS = 5.0
CONNECTING = threading.Lock()


def check_address(address: str, device: str) -> None:
    """Raises UserError where jobs cannot be sent to a cluster from here."""
    if importlib.util.find_spec("ray") is None:
        raise UserError(
            "--engine ray needs Ray, which is not installed: pip install 'reward-synth[ray]'"
        )
    if "://" in address:
        raise UserError(
            f"--ray-address {address}: give HOST:PORT of a cluster that this machine has joined "
            "(`ray start --address=HOST:PORT`), `auto` for the one it is in, or `local`"
        )
    if device.startswith("cuda:"):
        raise UserError(
            f"--device {device} with --engine ray: give cuda; each job gets a GPU of its node"
        )


def join(address: str, device: str) -> None:
    """Join this process to a cluster, unless it has joined one already, for its whole life.

    Raises UserError where there is no Ray, or no such cluster.
    """
    check_address(address, device)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster of ours tells nobody
    import ray

    with CONNECTING:
        if ray.is_initialized():
            return
        own: dict[str, Any] = {"include_dashboard": False} if address == OWN else {}
        try:
            knock(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
        except (OSError, ValueError, RuntimeError) as error:
            where = "on this machine" if address in (RUNNING, OWN) else f"at {address}"
            reason = str(error).splitlines()[0].rstrip(".")
            raise UserError(
                f"no Ray cluster can be joined {where} ({reason}); start one with `ray start "
                "--head`, or give --ray-address local for one that lasts as long as this run"
            ) from error


def knock(address: str) -> None:
    """Raises OSError where nobody answers: Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), KNOCK_SECONDS).close()


def demands(device: str) -> dict[str, float]:
    """What one job takes of its node, as Ray's options."""
    gpus = 1.0 if device.startswith("cuda") else 0.0
    return {"num_cpus": CORES_OF_JOB, "num_gpus": gpus, "memory": MEMORY_OF_JOB}


def places(device: str) -> int:
    """Jobs that the cluster's nodes can do at once, whoever else may use them now."""
    import ray

    taken = demands(device)
    wanted = {"CPU": taken["num_cpus"], "GPU": taken["num_gpus"], "memory": taken["memory"]}
    return sum(
        int(min(node["Resources"].get(name, 0) // each for name, each in wanted.items() if each))
        for node in ray.nodes()
        if node["Alive"]
    )
