"""Everything that decides a run's outcome, as one validated value that is stored with the run."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class RunConfig(BaseModel):
    """Settings of one search; a run resumed from the database uses the stored ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    """Name of a built-in task or path of a task folder."""
    model: str = "offline"
    """``offline``, ``provider/model``, a model name with ``base_url``, or ``replay:FILE``."""
    base_url: str | None = None
    samples: int = Field(default=6, ge=1, le=256)
    """Candidates per generation (Eureka's K)."""
    iterations: int = Field(default=3, ge=1, le=100)
    """Generations (Eureka's N)."""
    steps: int | None = Field(default=None, ge=1)
    """Environment steps per training; the task's own budget if None."""
    seed: int = Field(default=0, ge=0)
    temperature: float = Field(default=1.0, ge=0.0, le=2.0)
    repairs: int = Field(default=2, ge=0, le=5)
    """How often a program that the gate refused goes back to the model with its error."""
    finalists: int = Field(default=2, ge=0, le=16)
    """Candidates that are trained again on fresh seeds, so that the winner is not the luckiest."""
    confirmation_seeds: tuple[int, ...] = (100, 101, 102)
    """Seeds of those trainings; the baselines use the same ones."""
    evaluation_episodes: int = Field(default=32, ge=1, le=4096)
    workers: int = Field(default=0, ge=0, le=1024)
    """Trainings at once; 0 means one per core.  Has no influence on any score."""
    isolation: Literal["strict", "none"] = "strict"


class TrainConfig(BaseModel):
    """Settings of a plain training: one reward program, several seeds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    reward: str
    """``expert``, ``sparse`` or the path of a reward program."""
    seeds: tuple[int, ...] = (100, 101, 102)
    steps: int = Field(ge=1)
    evaluation_episodes: int = Field(default=32, ge=1, le=4096)
    workers: int = Field(default=0, ge=0, le=1024)
    isolation: Literal["strict", "none"] = "strict"
