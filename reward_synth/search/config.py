"""Everything that decides a run's outcome, as one validated value that is stored with the run.

What is stored holds no secret: a base URL's user and password are left out.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from reward_synth.evaluation import TrainerChoice
from sandbox.confinement import Isolation

Role = Literal["designer", "critic", "analyser"]
"""Who writes programs, who reviews them before they are trained, who reads failed episodes."""
Parameters = dict[str, int | float | bool | str | list[int]]


SEED_DISTANCE = 10_000
"""Between the seeds of one candidate in a search; far from those of the confirmation."""


def search_seeds(seed: int, count: int) -> list[int]:
    """The seeds that a search trains each candidate with."""
    return [seed + SEED_DISTANCE * k for k in range(count)]


class TrainingConfig(BaseModel):
    """How policies are trained and scored, whatever for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: str = "cpu"
    """cpu, cuda, cuda:K, or warp-cpu (the GPU's simulator on the processor, for tests)."""
    environments: int | None = Field(default=None, ge=1, le=1_000_000)
    """Environments of each policy in training, the task's if None."""
    trainer: Literal["population", "sb3"] = "population"
    algorithm: Literal["ppo", "sac", "td3"] = "ppo"
    """Of the sb3 trainer."""
    parameters: Parameters = {}
    """Of the sb3 trainer's algorithm, by stable-baselines3's names."""
    evaluation_episodes: int = Field(default=32, ge=1, le=4096)
    workers: int = Field(default=0, ge=0, le=1024)
    """Trainings at once; 0 means one per core, or as many as a cluster has room for.  Has no
    influence on any score."""
    engine: Literal["local", "ray"] = "local"
    """Who trains: this machine's workers, or those of a Ray cluster.  No influence on scores."""
    ray_address: str = "auto"
    """``HOST:PORT`` of the cluster, ``auto`` for the one that this machine is in, or ``local`` for
    a new one on this machine alone."""
    isolation: Isolation = "strict"
    trackers: tuple[Literal["wandb", "mlflow"], ...] = ()
    """Who is told of the run beside TensorBoard.  No influence on scores."""

    @property
    def choice(self) -> TrainerChoice:
        """Who trains and how."""
        return TrainerChoice(
            self.trainer, self.algorithm, self.parameters, self.device, self.environments
        )


class RoleConfig(BaseModel):
    """What differs for one role from the run's own settings; None where nothing does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(default=None, min_length=1)
    """As ``RunConfig.model``; a role with a model of its own is not asked at ``base_url``, and
    names a server as ``NAME@URL``."""
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)
    answer_tokens: int | None = Field(default=None, ge=1)


class RunConfig(TrainingConfig):
    """Settings of one search; a run resumed from the database uses the stored ones."""

    task: str
    """Name of a built-in task or path of a task folder."""
    model: str = "offline"
    """``offline``, ``provider/model``, a model name with ``base_url``, ``NAME@URL``,
    ``replay:FILE``, ``replay-anyway:FILE`` or ``manual``; the first of ``models``."""
    models: tuple[str, ...] = ()
    """Several models that share the samples; where none are given, ``model`` alone."""
    base_url: str | None = None
    """Of all ``models`` that name no server of their own."""
    roles: dict[Role, RoleConfig] = {}
    answer_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of one completion; the provider's own limit if None."""
    record: str | None = None
    """File that each exchange with a model is appended to, for ``replay:FILE``."""
    cache: bool = True
    """Whether answers at temperature 0 are remembered between runs."""
    strategy: (
        Literal["offline", "eureka", "text2reward", "auto-mc-reward", "card", "islands"] | None
    ) = None
    """How the next candidates are made; None for eureka, or offline with no language model."""
    start: str | None = None
    """A person's reward program, in place of the first generation."""
    say: tuple[str, ...] = ()
    """A person's words on the best policy of each generation, for text2reward."""
    examples: int = Field(default=2, ge=0, le=16)
    """Programs of finished runs on other tasks that text2reward shows; 0 is zero-shot."""
    samples: int = Field(default=6, ge=1, le=256)
    """Candidates per generation (Eureka's K)."""
    iterations: int = Field(default=3, ge=1, le=100)
    """Generations (Eureka's N)."""
    steps: int | None = Field(default=None, ge=1)
    """Environment steps per training; the task's own budget if None."""
    seed: int = Field(default=0, ge=0)
    seeds: int = Field(default=1, ge=1, le=64)
    """Trainings of each candidate in the search, whose mean counts."""
    rungs: tuple[float, ...] = (0.125, 0.25, 0.5)
    """Shares of a training at which the weaker half of a generation is dropped; () never drops.
    Only the population trainer can stop and go on; the other one ignores them."""
    rung_episodes: int = Field(default=8, ge=1, le=4096)
    """Evaluation episodes at a rung."""
    tune: int = Field(default=0, ge=0, le=256)
    """Variants of the best program's constants in each generation after the first."""
    overlap: bool = False
    """Whether the next generation is asked for at the last rung of this one, in place of its
    end."""
    feedback: bool = False
    """Whether the run waits for a person's word after each generation but the last."""
    select: Literal["fitness", "preference"] = "fitness"
    """What parents and finalists are chosen by; by ``preference``, nothing is dropped at rungs."""
    simulated_person: float | None = Field(default=None, ge=0.0, lt=0.5)
    """The share of wrong answers of a person who is simulated, in place of a real one."""
    judgements: int = Field(default=6, ge=1, le=10_000)
    """Pairs that a simulated person judges after each generation."""
    temperature: float = Field(default=1.0, ge=0.0, le=2.0)
    repairs: int = Field(default=2, ge=0, le=5)
    """How often a program that the gate refused goes back to the model with its error."""
    finalists: int = Field(default=2, ge=0, le=16)
    """Candidates that are trained again on fresh seeds, so that the winner is not the luckiest."""
    confirmation_seeds: tuple[int, ...] = (100, 101, 102)
    """Seeds of those trainings."""
    max_cost: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    """US dollars for the model over the whole run, at list prices."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Tokens billed over the whole run, of prompts and completions."""
    max_hours: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    """Wall-clock of the whole run."""
    max_failures: int | None = Field(default=None, ge=1, le=10_000)
    """Failures of the model's server in a row; None for the client's own patience."""

    @model_validator(mode="before")
    @classmethod
    def one_or_several(cls, given: Any) -> Any:
        """Fill in ``models`` from ``model`` or the other way round."""
        if not isinstance(given, dict):
            return given
        models = given.get("models") or (given.get("model", "offline"),)
        if isinstance(models, str) or given.get("model", models[0]) != models[0]:
            raise ValueError("models is a list, and model its first one")
        return {**given, "model": models[0], "models": models}

    @field_validator("rungs")
    @classmethod
    def between(cls, rungs: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0.0 < share < 1.0 for share in rungs):
            raise ValueError("rungs are shares of a training, above 0 and below 1")
        return rungs


class TrainConfig(TrainingConfig):
    """Settings of a plain training: one reward program, several seeds."""

    task: str
    reward: str
    """``expert``, ``sparse``, ``native`` or the path of a reward program."""
    seeds: tuple[int, ...] = (100, 101, 102)
    steps: int = Field(ge=1)
