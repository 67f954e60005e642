"""Population PPO: many policies learn side by side in one batched simulation.

Proximal policy optimisation with a clipped objective (Schulman et al. 2017, arXiv 1707.06347) and
generalised advantage estimation (Schulman et al. 2016, arXiv 1506.02438), for ``K`` members at
once.  Every tensor has the members as its leading axis; networks are applied with
``torch.bmm``, and no operation mixes members, so that each learns exactly as it would alone.
Details that the papers leave open follow stable-baselines3's ``PPO`` and ``VecNormalize``.

Symbols: ``K`` members, ``E`` environments of each, ``T`` steps of a rollout, ``B = T × E``;
``θ (K, P)`` all parameters of a member in one row; ``s`` normalised observations, ``a`` actions,
``r`` rewards, ``V`` values, ``A`` advantages, ``R`` returns, ``γ`` discount, ``λ`` of GAE, ``ε``
clip range.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from reward_synth.simulation.actions import ActionSpace
from reward_synth.simulation.interface import Simulator, Step
from reward_synth.simulation.policy import OBSERVATION_CLIP, Policy
from reward_synth.task import PpoSettings
from sandbox.distributions import distribution_of
from sandbox.networks import Layout, RunningMoments

REWARD_CLIP = 10.0
"""Normalised rewards are clipped to this, as ``VecNormalize`` does."""
ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-5
ADVANTAGE_EPSILON = 1e-8
KL_TOLERANCE = 1.5
"""An update stops when the estimated KL divergence exceeds this many times its target."""


# --- the population -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Experience:
    """A rollout before its rewards are known; tensors are ``(K, T, E, …)``."""

    s: Tensor
    c: Tensor
    """What the value function sees; ``s`` where it has no observation of its own."""
    a: Tensor
    log_probability: Tensor
    done: Tensor
    """float: the episode ended with this step, for whatever reason."""
    bootstrap: Tensor
    """Value of the state in which an episode ran out of time; 0 elsewhere."""
    next_s: Tensor
    """``(K, E, obs)``: where the next rollout begins."""
    next_c: Tensor


class Population:
    """``K`` PPO learners.

    ``seeds`` decide initial weights, exploration and minibatches, one for each member; members
    with equal seeds, programs and environments stay equal to the last bit.
    """

    def __init__(
        self,
        settings: PpoSettings,
        observation_size: int,
        action_space: ActionSpace,
        seeds: Sequence[int],
        *,
        rollout_steps: int,
        total_steps: int,
        critic_observation_size: int = 0,
        device: str = "cpu",
    ) -> None:
        self.settings = settings
        self.device = torch.device(device)
        self.T, self.E = rollout_steps, settings.environments
        self.total_steps = total_steps
        self.action_space = action_space
        self.distribution = distribution_of(action_space)
        self.layout = Layout(
            observation_size,
            action_space.size,
            settings.hidden_sizes,
            critic_observation_size,
            self.distribution.shapes,
        )
        self.generators = [
            torch.Generator(self.device).manual_seed(_scatter(seed)) for seed in seeds
        ]
        rows = [
            self.layout.initial(
                settings.initial_log_std, torch.Generator().manual_seed(_scatter(seed))
            )
            for seed in seeds
        ]
        self.theta = torch.stack(rows).to(self.device)
        self.first_moment = torch.zeros_like(self.theta)
        self.second_moment = torch.zeros_like(self.theta)
        self.updates = torch.zeros(len(seeds), 1, dtype=torch.float64, device=self.device)
        self.steps = 0
        """Environment steps of each member so far."""
        self.observations = RunningMoments(len(seeds), observation_size, self.device)
        self.critic_observations = (
            RunningMoments(len(seeds), critic_observation_size, self.device)
            if critic_observation_size
            else None
        )
        self.returns = RunningMoments(len(seeds), 1, self.device)
        self.discounted = torch.zeros(len(seeds), self.E, dtype=torch.float64, device=self.device)
        """Discounted sum of each environment's rewards so far, whose variance scales rewards."""

    def __len__(self) -> int:
        return len(self.theta)

    # --- acting ---------------------------------------------------------------------------

    def begin(self, observation: Tensor, critic_observation: Tensor | None = None) -> None:
        """Take in the first observations ``(K, E, obs)`` of new members, and what their value
        function sees ``(K, E, c)``, where it has an observation of its own."""
        self.observations.update(observation)
        if self.critic_observations is not None and critic_observation is not None:
            self.critic_observations.update(critic_observation)

    def normalise(self, observation: Tensor, statistics: RunningMoments | None = None) -> Tensor:
        """Observations ``(K, E, obs)`` as the networks see them, by the policy's statistics or by
        others."""
        statistics = statistics or self.observations
        s = (observation - statistics.mean) / statistics.scale()
        return s.clamp_(-OBSERVATION_CLIP, OBSERVATION_CLIP).float()

    @torch.no_grad()
    def collect(self, simulator: Simulator, listen: Callable[[Step], None]) -> Experience:
        """Let every member act for ``T`` steps; ``listen`` hears each step."""
        K, T, E, layout = len(self), self.T, self.E, self.layout
        parameters, distribution = layout.views(self.theta), self.distribution
        nu = self.action_space.size
        draws = distribution.draws(self.generators, (T, E), self.device)
        outputs: list[Tensor] = []
        critics = self.critic_observations
        seen: Tensor | None = None if critics is None else self.tensor(simulator.critic_observe())
        c = None if seen is None else torch.empty(K, T, E, seen.shape[-1], device=self.device)
        observation = self.tensor(simulator.observe())
        s = torch.empty(K, T, E, observation.shape[-1], device=self.device)
        a = torch.empty(K, T, E, nu, device=self.device)
        done = torch.zeros(K, T, E, device=self.device)
        bootstrap = torch.zeros(K, T, E, device=self.device)
        for t in range(T):
            s[:, t] = now = self.normalise(observation)
            if c is not None and seen is not None:
                c[:, t] = self.normalise(seen, critics)
            outputs.append(layout.apply("policy", parameters, now))
            a[:, t] = action = distribution.act(outputs[-1], parameters, draws[:, t])
            applied = action.view(K * E, nu)
            step = simulator.step(applied.numpy() if simulator.xp is np else applied)
            listen(step)
            done[:, t] = self.tensor(step.terminated | step.truncated)
            observation = self.tensor(step.observation)
            self.observations.update(observation)
            if critics is not None:
                seen = self.tensor(step.critic_observation)
                critics.update(seen)
            if step.truncated.any():
                if critics is None:
                    final = self.normalise(self.tensor(step.final_observation))
                else:
                    final = self.normalise(self.tensor(step.final_critic_observation), critics)
                value = layout.apply("value", parameters, final).squeeze(-1)
                bootstrap[:, t] = value * self.tensor(step.truncated)
        log_probability = distribution.rollout_log_probability(outputs, parameters, a, draws)
        next_s = self.normalise(observation)
        next_c = next_s if seen is None else self.normalise(seen, critics)
        c = s if c is None else c
        return Experience(s, c, a, log_probability, done, bootstrap, next_s, next_c)

    def tensor(self, array: object) -> Tensor:
        """``(N, …)`` from the simulator as ``(K, E, …)`` on this population's device."""
        return torch.as_tensor(array, device=self.device).unflatten(0, (len(self), self.E))

    # --- learning -------------------------------------------------------------------------

    @torch.no_grad()
    def learn(self, experience: Experience, reward: Tensor) -> None:
        """One update of every member from a rollout and its rewards ``(K, T, E)``."""
        K, B = len(self), self.T * self.E
        parameters = self.layout.views(self.theta)
        s, c = experience.s.view(K, B, -1), experience.c.view(K, B, -1)
        V = self.layout.apply("value", parameters, c).view(K, self.T, self.E)
        last = self.layout.apply("value", parameters, experience.next_c).squeeze(-1)
        r = self.scale_rewards(reward.to(self.device), experience.done)
        r += self.settings.discount * experience.bootstrap
        advantage = self.advantages(r, V, last, experience.done)
        columns = [
            s,
            *(() if self.critic_observations is None else (c,)),
            experience.a.view(K, B, -1),
            *(
                column.reshape(K, B, 1)
                for column in (experience.log_probability, advantage, advantage + V)
            ),
        ]
        batch = torch.cat(columns, dim=2)
        self.optimise(batch)
        self.steps += B

    def scale_rewards(self, reward: Tensor, done: Tensor) -> Tensor:
        """Rewards over the running standard deviation of discounted returns, as float32."""
        scaled = torch.empty_like(reward)
        for t in range(self.T):
            self.discounted = self.discounted * self.settings.discount + reward[:, t]
            self.returns.update(self.discounted.unsqueeze(-1))
            scaled[:, t] = reward[:, t] / self.returns.scale()[..., 0]
            self.discounted *= 1.0 - done[:, t]
        return scaled.clamp_(-REWARD_CLIP, REWARD_CLIP).float()

    def advantages(self, r: Tensor, V: Tensor, last: Tensor, done: Tensor) -> Tensor:
        """GAE: ``A_t = δ_t + γλ A_{t+1}``, ``δ_t = r_t + γ V_{t+1} − V_t`` within episodes."""
        gamma, lambda_ = self.settings.discount, self.settings.gae_lambda
        A = torch.empty_like(V)
        following, ahead = last, torch.zeros_like(last)
        for t in reversed(range(self.T)):
            goes_on = 1.0 - done[:, t]
            delta = r[:, t] + gamma * following * goes_on - V[:, t]
            A[:, t] = ahead = delta + gamma * lambda_ * goes_on * ahead
            following = V[:, t]
        return A

    def optimise(self, batch: Tensor) -> None:
        """Epochs of minibatch steps on ``(K, B, columns)``; a member that strayed too far rests."""
        settings = self.settings
        K, B, columns = batch.shape
        rows = batch.view(K * B, columns)
        first_row = torch.arange(0, K * B, B, device=self.device).unsqueeze(1)
        active = torch.ones(K, dtype=torch.bool, device=self.device)
        for _ in range(settings.epochs):
            order = torch.stack(
                [torch.randperm(B, generator=g, device=self.device) for g in self.generators]
            )
            shuffled = rows.index_select(0, (order + first_row).view(-1)).view(K, B, columns)
            for minibatch in shuffled.split(settings.minibatch_size, dim=1):
                gradient, divergence = self.gradient(minibatch)
                if settings.target_kl is not None:
                    active &= divergence <= KL_TOLERANCE * settings.target_kl
                self.adam_step(gradient, active)

    def gradient(self, minibatch: Tensor) -> tuple[Tensor, Tensor]:
        """Of each member's loss, clipped ``(K, P)``; and the estimated KL divergence ``(K,)``.

        Loss: ``−E[min(ρA, clip(ρ, 1−ε, 1+ε)A)] + c_V E[(V − R)²] − c_H H``.
        """
        settings, layout = self.settings, self.layout
        parameters = layout.views(self.theta)
        M = minibatch.shape[1]
        s, c, a, old, A, R = self.columns(minibatch)
        if M > 1:
            A = (A - A.mean(1, keepdim=True)) / (A.std(1, keepdim=True) + ADVANTAGE_EPSILON)
        policy = layout.layers("policy", parameters, s)
        value = layout.layers("value", parameters, c)
        log_probability, saved = self.distribution.log_probability(policy[-1], parameters, a)
        log_ratio = log_probability - old
        rho = log_ratio.exp()
        # Where clipping makes the objective smaller, it is constant.
        low, high = 1.0 - settings.clip_range, 1.0 + settings.clip_range
        flat = ((A > 0) & (rho > high)) | ((A < 0) & (rho < low))
        by_log_probability = (rho * A).masked_fill_(flat, 0.0) * (-1.0 / M)
        by_output, others = self.distribution.gradients(
            saved, by_log_probability, settings.entropy_coefficient
        )
        by_value = (value[-1] - R) * (2.0 * settings.value_coefficient / M)
        parts = layout.gradients("policy", parameters, policy, by_output)
        parts |= layout.gradients("value", parameters, value, by_value)
        parts |= others
        gradient = torch.cat([parts[name].flatten(1) for name in layout.shapes], dim=1)
        length = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        gradient *= (settings.max_gradient_norm / (length + 1e-6)).clamp_(max=1.0)
        divergence = (rho - 1.0 - log_ratio).mean((1, 2))
        return gradient, divergence

    def columns(self, minibatch: Tensor) -> list[Tensor]:
        """``s``, ``c``, ``a``, old log-probability, ``A`` and ``R`` of a minibatch."""
        widths = [self.layout.shapes["policy.0.weight"][0]]
        if self.critic_observations is not None:
            widths.append(self.layout.shapes["value.0.weight"][0])
        s, *critic, a, old, A, R = minibatch.split([*widths, self.action_space.size, 1, 1, 1], 2)
        s = s.contiguous()
        return [s, critic[0].contiguous() if critic else s, a, old, A, R]

    def adam_step(self, gradient: Tensor, active: Tensor) -> None:
        """Adam (Kingma & Ba 2015) on the ``active`` members; the others stay as they are."""
        beta_1, beta_2 = ADAM_BETAS
        before = None
        if not active.all():
            before = self.theta.clone(), self.first_moment.clone(), self.second_moment.clone()
        self.updates += active.unsqueeze(1)
        rate = self.settings.learning_rate
        if self.settings.anneal:
            rate *= max(0.0, 1.0 - self.steps / self.total_steps)
        self.first_moment.lerp_(gradient, 1.0 - beta_1)
        self.second_moment.mul_(beta_2).addcmul_(gradient, gradient, value=1.0 - beta_2)
        step = (rate / (1.0 - beta_1**self.updates)).float()
        scale = (1.0 / torch.sqrt(1.0 - beta_2**self.updates)).float()
        self.theta -= step * self.first_moment / (self.second_moment.sqrt() * scale + ADAM_EPSILON)
        if before is not None:
            kept = ~active
            self.theta[kept] = before[0][kept]
            self.first_moment[kept] = before[1][kept]
            self.second_moment[kept] = before[2][kept]

    # --- what a member is, and keeps ---------------------------------------------------------

    def finite(self) -> Tensor:
        """``(K,)`` bool: whose weights and statistics are numbers still."""
        parts = [self.theta, self.observations.variance.flatten(1), self.discounted]
        if self.critic_observations is not None:
            parts.append(self.critic_observations.variance.flatten(1))
        return torch.stack([torch.isfinite(part).all(1) for part in parts]).all(0)

    def _tensors(self) -> dict[str, Tensor]:
        """Everything that a member has learned, ``(K, …)`` each."""
        return {
            "theta": self.theta,
            "first_moment": self.first_moment,
            "second_moment": self.second_moment,
            "updates": self.updates,
            **self.observations.tensors("observations"),
            **self.returns.tensors("returns"),
            "discounted": self.discounted,
            **(
                {}
                if self.critic_observations is None
                else self.critic_observations.tensors("critic_observations")
            ),
        }

    def snapshot(self, member: int) -> dict[str, np.ndarray]:
        """All that decides how a member goes on, apart from ``steps``."""
        state = {name: t[member].cpu().numpy().copy() for name, t in self._tensors().items()}
        return state | {"generator": self.generators[member].get_state().numpy()}

    def restore(self, member: int, snapshot: Mapping[str, np.ndarray]) -> None:
        """Put a member back to where it was when the snapshot was taken."""
        for name, tensor in self._tensors().items():
            tensor[member] = torch.as_tensor(snapshot[name], device=self.device)
        self.generators[member].set_state(torch.as_tensor(snapshot["generator"]))

    def noise(self, member: int) -> float | None:
        """Mean standard deviation of the Gaussian noise with which a member explores; None where
        its actions are options or switches."""
        if self.action_space.kind != "continuous":
            return None
        return float(self.layout.views(self.theta[member : member + 1])["log_std"].exp().mean())

    def policy(self, member: int) -> Policy:
        """A member's policy as NumPy arrays; value function and ``log_std`` as extras."""
        parameters = self.layout.views(self.theta[member : member + 1])
        arrays = {name: p[0].cpu().numpy() for name, p in parameters.items()}
        layers = range(self.layout.depth)
        extra = {name: arrays[name][0].copy() for name in self.distribution.shapes}
        if self.critic_observations is not None:
            extra["critic_observation.mean"] = (
                self.critic_observations.mean[member, 0].cpu().numpy()
            )
            extra["critic_observation.variance"] = (
                self.critic_observations.variance[member, 0].cpu().numpy()
            )
        for layer in layers:
            extra[f"value.{layer}.weight"] = arrays[f"value.{layer}.weight"].T.copy()
            extra[f"value.{layer}.bias"] = arrays[f"value.{layer}.bias"][0].copy()
        return Policy(
            observation_mean=self.observations.mean[member, 0].cpu().numpy().copy(),
            observation_variance=self.observations.variance[member, 0].cpu().numpy().copy(),
            weights=tuple(arrays[f"policy.{k}.weight"].T.copy() for k in layers),
            biases=tuple(arrays[f"policy.{k}.bias"][0].copy() for k in layers),
            extra=extra,
            space=self.action_space,
        )


def _scatter(seed: int) -> int:
    """Neighbouring seeds give unrelated random numbers."""
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] >> np.uint64(1))
