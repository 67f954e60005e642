"""The part of ``mujoco.rollout`` that the CPU simulator uses."""

from typing import Any

class Rollout:
    nthread: int
    rollout_: Any
    def __init__(self, *, nthread: int | None = None) -> None: ...
    def close(self) -> None: ...
    def rollout(self, *args: Any, **kwargs: Any) -> Any: ...
