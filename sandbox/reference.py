"""The reference trainer: stable-baselines3's PPO, SAC and TD3 over the batched simulator.

Members train one after another, each in a simulator of its own.  Observations and rewards are
normalised by running statistics, so that a reward program's overall scale does not decide whether
it trains.  SAC and TD3 need that as much as PPO: on rewards of a hundredth of the usual size
neither learns to swing up a pole without it.

PPO (Schulman et al. 2017) takes the task's hyperparameters.  SAC (Haarnoja et al. 2018) and TD3
(Fujimoto et al. 2018) take stable-baselines3's own, but for the task's discount and what many
environments at once need: see :func:`off_policy_defaults`.
"""

import difflib
import inspect
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from stable_baselines3 import PPO, SAC, TD3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from reward_synth.errors import UserError
from reward_synth.reward import parse
from reward_synth.simulation import open_simulator, task_spec
from reward_synth.simulation.episodes import EpisodeRecorder
from reward_synth.simulation.interface import Simulator, Step
from reward_synth.simulation.policy import OBSERVATION_CLIP, Policy, save_policy
from reward_synth.task import ManagerBasedEnvironment, PpoSettings, Task, load_task
from sandbox.failures import NonFiniteError
from sandbox.messages import Member, MemberResult, Message, TrainJob, TrainResult
from sandbox.recorder import TrainingRecord, peak_memory
from sandbox.vec_env import RewardedSimulator
from sandbox.worker import describe

Model = PPO | SAC | TD3
ALGORITHMS: Mapping[str, type[Model]] = {"ppo": PPO, "sac": SAC, "td3": TD3}
HIDDEN_SIZES = "hidden_sizes"
"""The one parameter with a name of our own: the widths of the hidden layers."""
DECIDED_BY_THE_JOB = ("self", "policy", "env", "seed", "device", "_init_setup_model")
NOT_A_NUMBER = {
    "policy_kwargs": "give hidden_sizes, a list of widths",
    "replay_buffer_class": "it takes a class",
    "replay_buffer_kwargs": "it takes a dict",
    "rollout_buffer_class": "it takes a class",
    "rollout_buffer_kwargs": "it takes a dict",
    "tensorboard_log": "a report's curves are in its checkpoints",
}
"""Constructor arguments that a job cannot carry, and why."""
COUNTS = ("n_steps", "train_freq")
"""Control steps that are taken at once."""
LARGEST_BUFFER = 1_000_000
"""Transitions that a replay buffer holds at most, stable-baselines3's default."""
WARM_UP = 100
"""Random steps of each environment before learning; stable-baselines3 takes as many of its one."""
WARM_UP_SHARE = 0.1
"""No more than this share of a training is random steps."""
EXPLORATION_STD = 0.1
"""TD3's Gaussian noise on actions in [-1, 1], from its paper; without any it explores nothing."""
LARGEST_SEED = 2**32
"""NumPy's global generator, which stable-baselines3 seeds, takes seeds below this."""

Parameters = Mapping[str, int | float | bool | str | list[int]]


def use_one_thread() -> None:
    """Several trainings share the machine, one core each: more threads would fight."""
    torch.set_num_threads(1)
    # Checks of every distribution's arguments cost as much as small networks do; what becomes
    # NaN is found at the actions, at the rewards and at the final weights.
    torch.distributions.Distribution.set_default_validate_args(False)


def train(job: TrainJob, emit: Callable[[Message], None]) -> TrainResult:
    """Train the job's members one by one; each leaves ``NAME.safetensors`` in ``job.folder``.

    A member whose program or training fails says so in its own result.  Raises UserError for a
    job that cannot be done: legs, an unknown parameter, a device that is not there.
    """
    if job.keep or job.until not in (None, job.steps):
        raise UserError(
            "the sb3 trainer cannot stop and go on: it trains to the end, so until must be "
            f"{job.steps} or None and keep false; the population trainer can"
        )
    check_parameters(job.algorithm, job.parameters)
    if job.device.startswith("cuda") and not torch.cuda.is_available():
        raise UserError(f"there is no device {job.device}; train on cpu")
    use_one_thread()
    task = load_task(Path(job.task))
    check_spaces(task, job.algorithm)
    members = [train_member(task, job, member, emit) for member in job.members]
    return TrainResult(members=members, peak_memory=peak_memory())


def check_spaces(task: Task, algorithm: str) -> None:
    """Raise UserError for a task that the algorithm cannot learn."""
    spec = task_spec(task)
    if algorithm != "ppo" and spec.action_space.kind != "continuous":
        raise UserError(
            f"{algorithm.upper()} learns continuous actions, and those of {task.name} are "
            f"{spec.action_space.kind}; use PPO"
        )
    if isinstance(task.environment, ManagerBasedEnvironment):
        raise UserError(
            f"environments of {task.environment.package} are trained by --trainer population alone"
        )
    if spec.critic_observation_size:
        raise UserError(
            f"{task.name} has a critic_observation, which stable-baselines3 does not know; train "
            "it with --trainer population"
        )


def train_member(
    task: Task, job: TrainJob, member: Member, emit: Callable[[Message], None]
) -> MemberResult:
    """Train one policy, or say why that failed."""
    environments = task.ppo.environments
    simulator = open_simulator(task, environments, threads=job.threads)
    try:
        program = parse(member.program, task_spec(task).readable_by(own=member.own))
        arguments = algorithm_arguments(task.ppo, job, simulator.action_size)
        batch = environments * steps_between_updates(job.algorithm, arguments)
        steps = math.ceil(job.steps / batch) * batch
        record = TrainingRecord(member.name, task, environments, steps / job.checkpoints, emit)
        listener = listen(record, simulator)
        environment = VecNormalize(
            RewardedSimulator(simulator, program, member.constants, member.seed, listener),
            clip_obs=OBSERVATION_CLIP,
            gamma=arguments["gamma"],
        )
        model = ALGORITHMS[job.algorithm](
            "MlpPolicy",
            environment,
            seed=member.seed % LARGEST_SEED,
            device=job.device,
            **arguments,
        )
        if isinstance(model, PPO) and simulator.action_space.kind == "continuous":
            record.noise = lambda: float(model.policy.log_std.detach().exp().mean())
        model.learn(steps)
        save(model, environment, Path(job.folder) / f"{member.name}.safetensors")
        trainer = f"stable-baselines3 {job.algorithm.upper()}"
        return record.result(member.seed, environments, trainer, update_ratio(model))
    except (MemoryError, OSError):
        raise  # the machine's, not the member's
    except Exception as error:
        return MemberResult(member=member.name, failure=describe(error))
    finally:
        simulator.close()


def listen(
    record: TrainingRecord, simulator: Simulator
) -> Callable[[Step, np.ndarray, dict[str, np.ndarray]], None]:
    """Tell the record of every step."""
    recorder = EpisodeRecorder(simulator)

    def hear(step: Step, total: np.ndarray, components: dict[str, np.ndarray]) -> None:
        episodes = [episode for _, episode in recorder.record(step)]
        done = np.logical_or(step.terminated, step.truncated)
        record.take(episodes, total[np.newaxis], components, done[np.newaxis])

    return hear


# --- parameters ------------------------------------------------------------------------------


def check_parameters(algorithm: str, parameters: Parameters) -> None:
    """Raise UserError for a parameter that the algorithm has not, naming the nearest one."""
    signature = inspect.signature(ALGORITHMS[algorithm].__init__)
    known = [
        HIDDEN_SIZES,
        *(n for n in signature.parameters if n not in (*DECIDED_BY_THE_JOB, *NOT_A_NUMBER)),
    ]
    name_of_it = f"stable-baselines3's {algorithm.upper()}"
    for name, value in parameters.items():
        if name in NOT_A_NUMBER and name in signature.parameters:
            raise UserError(f"{name} of {name_of_it} cannot be set: {NOT_A_NUMBER[name]}")
        if name in DECIDED_BY_THE_JOB:
            raise UserError(f"{name} of {name_of_it} cannot be set: the training decides it")
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(known)}"
            raise UserError(f"{name_of_it} has no parameter {name}{hint}")
        if (name == HIDDEN_SIZES) != isinstance(value, list):
            expected = "a list of widths" if name == HIDDEN_SIZES else "one value"
            raise UserError(f"{name} of {name_of_it} takes {expected}, not {value}")
        if isinstance(value, list) and any(width < 1 for width in value):
            raise UserError(f"{name} of {name_of_it} takes widths of at least 1, not {value}")
        if name in COUNTS and not (isinstance(value, int) and value >= 1):
            raise UserError(f"{name} of {name_of_it} takes a whole number from 1 on, not {value}")
    if algorithm == "sac" and parameters.get("use_sde"):
        raise UserError(f"use_sde of {name_of_it} cannot be set: its policies cannot be saved here")


def algorithm_arguments(settings: PpoSettings, job: TrainJob, action_size: int) -> dict[str, Any]:
    """What the algorithm is built with: defaults, and the job's parameters in their place."""
    given: dict[str, Any] = dict(job.parameters)
    sizes = given.pop(HIDDEN_SIZES, None)
    if job.algorithm == "ppo":
        arguments = {**ppo_defaults(settings, job.steps, sizes), **given}
        arguments["n_steps"] = min(arguments["n_steps"], whole_rollout(settings, job.steps))
        return arguments
    arguments = {**off_policy_defaults(settings, job.steps), **given}
    std = arguments.pop("action_noise", EXPLORATION_STD if job.algorithm == "td3" else 0.0)
    if std:
        arguments["action_noise"] = NormalActionNoise(
            np.zeros(action_size), np.full(action_size, std)
        )
    if sizes is not None:
        arguments["policy_kwargs"] = {"net_arch": sizes}
    return arguments


def ppo_defaults(
    settings: PpoSettings, steps: int, hidden_sizes: list[int] | None = None
) -> dict[str, Any]:
    """The task's hyperparameters by the names of SB3's PPO."""
    rate = settings.learning_rate
    sizes = list(settings.hidden_sizes) if hidden_sizes is None else hidden_sizes
    rollout_steps = settings.rollout_within(steps)
    return {
        "learning_rate": (lambda remaining: rate * remaining) if settings.anneal else rate,
        "n_steps": rollout_steps,
        "batch_size": min(settings.minibatch_size, rollout_steps * settings.environments),
        "n_epochs": settings.epochs,
        "gamma": settings.discount,
        "gae_lambda": settings.gae_lambda,
        "clip_range": settings.clip_range,
        "ent_coef": settings.entropy_coefficient,
        "vf_coef": settings.value_coefficient,
        "max_grad_norm": settings.max_gradient_norm,
        "target_kl": settings.target_kl,
        "policy_kwargs": {
            "net_arch": {"pi": sizes, "vf": sizes},
            "activation_fn": torch.nn.Tanh,
            "log_std_init": settings.initial_log_std,
            # The same Adam in one kernel: the step of a small network is all overhead.
            "optimizer_kwargs": {"eps": 1e-5, "fused": True},
        },
    }


def whole_rollout(settings: PpoSettings, steps: int) -> int:
    """Control steps of a rollout that is the whole training."""
    return math.ceil(steps / settings.environments)


def off_policy_defaults(settings: PpoSettings, steps: int) -> dict[str, Any]:
    """What many environments at once need of SAC and TD3.

    Each vector step is followed by one gradient step per environment, so that a transition is
    paid for with one gradient step, as stable-baselines3 does with one environment.
    """
    return {
        "gamma": settings.discount,
        "train_freq": 1,
        "gradient_steps": -1,
        "learning_starts": min(WARM_UP * settings.environments, int(WARM_UP_SHARE * steps)),
        "buffer_size": min(LARGEST_BUFFER, steps + settings.environments),
    }


def steps_between_updates(algorithm: str, arguments: Mapping[str, Any]) -> int:
    """Vector steps that the algorithm takes at once."""
    return arguments["n_steps" if algorithm == "ppo" else "train_freq"]


def update_ratio(model: Model) -> str:
    """The update-to-data ratio of SAC and TD3, in words."""
    if not isinstance(model, OffPolicyAlgorithm):
        return ""
    collected = model.train_freq.frequency * model.n_envs  # pyright: ignore
    steps = collected if model.gradient_steps < 0 else model.gradient_steps
    return f"{steps / collected:g} gradient steps per environment step"


# --- policies out ----------------------------------------------------------------------------


def save(model: Model, environment: VecNormalize, path: Path) -> None:
    """Write the policy and its observation statistics as safetensors; of PPO, the value function
    and the exploration's ``log_std`` too.

    Raises NonFiniteError when a weight became NaN or infinite.
    """
    policy: Any = model.policy
    space = cast(RewardedSimulator, environment.venv).simulator.action_space
    extra: dict[str, np.ndarray] = {}
    if isinstance(model, PPO):
        networks = policy.mlp_extractor
        layers = [*linear_layers(networks.policy_net), *linear_layers(policy.action_net)]
        values = [*linear_layers(networks.value_net), *linear_layers(policy.value_net)]
        if space.kind == "continuous":
            extra["log_std"] = policy.log_std.detach().cpu().numpy().copy()
        for index, (weight, bias) in enumerate(values):
            extra[f"value.{index}.weight"], extra[f"value.{index}.bias"] = weight, bias
    elif isinstance(model, SAC):
        layers = [*linear_layers(policy.actor.latent_pi), *linear_layers(policy.actor.mu)]
    else:
        layers = linear_layers(policy.actor.mu)
    arrays = [*(array for layer in layers for array in layer), *extra.values()]
    if not all(np.isfinite(array).all() for array in arrays):
        raise NonFiniteError("the policy's weights became NaN or infinite during training")
    statistics: Any = environment.obs_rms
    off_policy = not isinstance(model, PPO)
    save_policy(
        path,
        Policy(
            observation_mean=np.asarray(statistics.mean),
            observation_variance=np.asarray(statistics.var),
            weights=tuple(weight for weight, _ in layers),
            biases=tuple(bias for _, bias in layers),
            activation="relu" if off_policy else "tanh",
            squash=off_policy,
            space=space,
        ),
        extra,
    )


def linear_layers(network: torch.nn.Module) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights ``(out, in)`` and biases ``(out,)`` of a stack of linear layers, in order."""
    return [
        (module.weight.detach().cpu().numpy().copy(), module.bias.detach().cpu().numpy().copy())
        for module in network.modules()
        if isinstance(module, torch.nn.Linear)
    ]
