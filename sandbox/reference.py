"""Training with stable-baselines3's PPO (Schulman et al. 2017) over the batched simulator.

Observations and rewards are normalised by running statistics, so that a reward program's
overall scale does not decide whether it trains.  What comes back is the final policy and a
report with about ten checkpoints.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecNormalize

from reward_synth.reward import parse
from reward_synth.simulation import MujocoSimulator
from reward_synth.simulation.episodes import EpisodeRecorder
from reward_synth.simulation.interface import Step
from reward_synth.simulation.policy import Policy, save_policy
from reward_synth.task import Episode, PpoSettings, Task, load_task
from sandbox.failures import NonFiniteError
from sandbox.messages import Checkpoint, Message, TrainingReport, TrainJob, TrainResult
from sandbox.probe import public_sizes
from sandbox.statistics import ComponentRecorder
from sandbox.vec_env import RewardedSimulator

POLICY_FILE = "policy.safetensors"
OBSERVATION_CLIP = 10.0


def use_one_thread() -> None:
    """Several trainings share the machine, one core each: more threads would fight."""
    torch.set_num_threads(1)
    # Checks of every distribution's arguments cost as much as small networks do; what becomes
    # NaN is found at the rewards and at the final weights.
    torch.distributions.Distribution.set_default_validate_args(False)


class CheckpointRecorder:
    """Hears every step and emits a checkpoint each ``interval`` environment steps."""

    def __init__(
        self,
        task: Task,
        simulator: MujocoSimulator,
        interval: float,
        emit: Callable[[Message], None],
    ) -> None:
        self.task = task
        self.interval = interval
        self.emit = emit
        self.recorder = EpisodeRecorder(simulator)
        self.components = ComponentRecorder()
        self.returns = np.zeros(simulator.num_envs)
        self.ended: list[tuple[Episode, float]] = []
        self.step = 0
        self.start = time.perf_counter()
        self.checkpoints: list[Checkpoint] = []

    def __call__(self, step: Step, total: np.ndarray, components: dict[str, np.ndarray]) -> None:
        self.step += len(total)
        self.returns += total
        self.components.record(components)
        for index, episode in self.recorder.record(step):
            self.ended.append((episode, float(self.returns[index])))
            self.returns[index] = 0.0
        if self.step >= self.interval * (len(self.checkpoints) + 1):
            self.checkpoint()

    def checkpoint(self) -> None:
        """Sum up what happened since the checkpoint before, and tell the orchestrator."""

        def mean(values: list[float]) -> float | None:
            return float(np.mean(values)) if values else None

        episodes = [episode for episode, _ in self.ended]
        success = self.task.success
        checkpoint = Checkpoint(
            step=self.step,
            seconds=time.perf_counter() - self.start,
            episodes=len(episodes),
            episode_return=mean([value for _, value in self.ended]),
            episode_length=mean([float(len(episode)) for episode in episodes]),
            fitness=mean([float(self.task.fitness(episode)) for episode in episodes]),
            success=mean([float(success(e)) for e in episodes]) if success else None,
            components=self.components.summarise(),
        )
        self.ended = []
        self.checkpoints.append(checkpoint)
        self.emit(checkpoint)


def train(job: TrainJob, emit: Callable[[Message], None]) -> TrainResult:
    """Train one policy; the weights go to ``job.folder``.

    Raises NonFiniteError when a reward or a weight became NaN or infinite.
    """
    use_one_thread()
    task = load_task(Path(job.task))
    settings = task.ppo
    simulator = MujocoSimulator(task, settings.environments, threads=job.threads)
    program = parse(job.program, public_sizes(task, simulator))
    rollout_steps = min(settings.rollout_steps, math.ceil(job.steps / settings.environments))
    batch = rollout_steps * settings.environments
    steps = math.ceil(job.steps / batch) * batch
    recorder = CheckpointRecorder(task, simulator, steps / job.checkpoints, emit)
    environment = VecNormalize(
        RewardedSimulator(simulator, program, job.constants, job.seed, recorder),
        clip_obs=OBSERVATION_CLIP,
        gamma=settings.discount,
    )
    model = build_ppo(environment, settings, rollout_steps, job.seed)
    model.learn(steps)
    if recorder.step > (recorder.checkpoints[-1].step if recorder.checkpoints else 0):
        recorder.checkpoint()
    save(model, environment, Path(job.folder) / POLICY_FILE)
    environment.close()
    report = TrainingReport(
        seed=job.seed,
        steps=recorder.step,
        seconds=time.perf_counter() - recorder.start,
        environments=settings.environments,
        trainer="stable-baselines3 PPO",
        checkpoints=recorder.checkpoints,
    )
    return TrainResult(report=report)


def build_ppo(
    environment: VecNormalize, settings: PpoSettings, rollout_steps: int, seed: int
) -> PPO:
    """SB3's PPO with the task's hyperparameters."""
    rate = settings.learning_rate
    sizes = list(settings.hidden_sizes)
    return PPO(
        "MlpPolicy",
        environment,
        learning_rate=(lambda remaining: rate * remaining) if settings.anneal else rate,
        n_steps=rollout_steps,
        batch_size=min(settings.minibatch_size, rollout_steps * settings.environments),
        n_epochs=settings.epochs,
        gamma=settings.discount,
        gae_lambda=settings.gae_lambda,
        clip_range=settings.clip_range,
        ent_coef=settings.entropy_coefficient,
        vf_coef=settings.value_coefficient,
        max_grad_norm=settings.max_gradient_norm,
        target_kl=settings.target_kl,
        policy_kwargs={
            "net_arch": {"pi": sizes, "vf": sizes},
            "activation_fn": torch.nn.Tanh,
            "log_std_init": settings.initial_log_std,
            # The same Adam in one kernel: the step of a small network is all overhead.
            "optimizer_kwargs": {"eps": 1e-5, "fused": True},
        },
        seed=seed,
        device="cpu",
    )


def linear_layers(network: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights ``(out, in)`` and biases ``(out,)`` of a stack of linear layers, in order."""
    return [
        (module.weight.detach().numpy().copy(), module.bias.detach().numpy().copy())
        for module in network.modules()
        if isinstance(module, torch.nn.Linear)
    ]


def save(model: PPO, environment: VecNormalize, path: Path) -> None:
    """Write the policy, its observation statistics and the value function as safetensors."""
    policy = model.policy
    layers = [*linear_layers(policy.mlp_extractor.policy_net), *linear_layers(policy.action_net)]
    values = [*linear_layers(policy.mlp_extractor.value_net), *linear_layers(policy.value_net)]
    extra: dict[str, np.ndarray] = {"log_std": policy.log_std.detach().numpy().copy()}  # pyright: ignore
    for index, (weight, bias) in enumerate(values):
        extra[f"value.{index}.weight"], extra[f"value.{index}.bias"] = weight, bias
    if not all(np.isfinite(array).all() for layer in [*layers, *values] for array in layer):
        raise NonFiniteError("the policy's weights became NaN or infinite during training")
    statistics = environment.obs_rms
    save_policy(
        path,
        Policy(
            observation_mean=np.asarray(statistics.mean),  # pyright: ignore
            observation_variance=np.asarray(statistics.var),  # pyright: ignore
            weights=tuple(weight for weight, _ in layers),
            biases=tuple(bias for _, bias in layers),
        ),
        extra,
    )
