"""The batched simulator as a stable-baselines3 ``VecEnv``, rewarded by one reward program."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from reward_synth.reward import RewardProgram
from reward_synth.simulation.interface import Simulator, Step
from reward_synth.simulation.sb3_export import gymnasium_space, rows_of
from sandbox.failures import NonFiniteError, explain_observation, explain_reward

Listener = Callable[[Step, np.ndarray, dict[str, np.ndarray]], None]


class RewardedSimulator(VecEnv):
    """``N`` environments; observations ``(N, obs)`` float32, actions of the simulator's space.

    ``listener`` hears every step with its total ``(N,)`` and components.
    Raises NonFiniteError when an action, an observation or the reward is NaN or infinite.
    """

    def __init__(
        self,
        simulator: Simulator,
        program: RewardProgram,
        constants: dict[str, float],
        seed: int,
        listener: Listener,
    ) -> None:
        self.simulator = simulator
        self.arguments = program.arguments
        self.reward = program.compile("numpy", constants)
        self.start_seed = seed
        self.listener = listener
        self.actions = np.zeros((simulator.num_envs, simulator.action_size))
        everything = np.full(simulator.observation_size, np.inf, dtype=np.float32)
        super().__init__(
            simulator.num_envs,
            spaces.Box(-everything, everything),
            gymnasium_space(simulator.action_space),
        )

    def reset(self) -> np.ndarray:
        observation = self.simulator.reset(self.start_seed)
        if not np.isfinite(observation).all():
            self.refuse_observation(observation)
        return observation.astype(np.float32)

    def step_async(self, actions: np.ndarray) -> None:
        self.actions = rows_of(actions, self.simulator.action_space)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        if not np.isfinite(self.actions).all():
            raise NonFiniteError("the policy's actions became NaN or infinite during training")
        step = self.simulator.step(self.actions)
        with np.errstate(all="ignore"):
            total, components = self.reward(**self.simulator.reward_inputs(self.arguments))
        if not np.isfinite(total).all():
            self.refuse(components)
        if not np.isfinite(step.final_observation).all():
            self.refuse_observation(step.final_observation)
        self.listener(step, total, components)
        done = np.logical_or(step.terminated, step.truncated)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if done.any():
            final = step.final_observation.astype(np.float32)
            for index in np.flatnonzero(done):
                infos[index] = {
                    "terminal_observation": final[index],
                    "TimeLimit.truncated": bool(step.truncated[index]),
                }
        return step.observation.astype(np.float32), total.astype(np.float32), done, infos

    def refuse(self, components: dict[str, np.ndarray]) -> None:
        guilty = [name for name, value in components.items() if not np.isfinite(value).all()]
        raise NonFiniteError(explain_reward(guilty))

    def refuse_observation(self, observation: np.ndarray) -> None:
        bad = np.atleast_1d(~np.isfinite(observation).all(axis=0))
        raise NonFiniteError(explain_observation(self.simulator, bad))

    def close(self) -> None:
        self.simulator.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self, attr_name, None)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise AttributeError(f"{attr_name} of a batched simulator cannot be set")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
        raise AttributeError(f"a batched simulator has no method {method_name} per environment")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs

    def get_images(self) -> Sequence[np.ndarray | None]:
        return [None] * self.num_envs
