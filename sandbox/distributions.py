"""Action distributions of a population's policies, and their gradients by hand.

``K`` members, ``M`` samples of each, ``A`` entries of an action (see
:class:`reward_synth.simulation.actions.ActionSpace`).  A policy network gives ``(K, M, A)``
outputs: the means of a Gaussian with a trained standard deviation, the logits of each option, or
the logits of each switch.  No operation mixes members.

Gradients are those of the loss ``−E[ρ…] − c_H H`` (Schulman et al. 2017, arXiv 1707.06347): ``g``
is that of its first part by the log-probability of each sample.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from reward_synth.simulation.actions import ActionSpace

SQRT_2PI_LOG = 0.5 * math.log(2.0 * math.pi)
SMALLEST_UNIFORM = 1e-20
"""Uniform numbers are kept above it, so that their logarithm is finite."""

Saved = Any
"""What :meth:`Distribution.log_probability` leaves for :meth:`Distribution.gradients`."""


class Distribution(Protocol):
    """How actions are drawn from a network's outputs."""

    shapes: Mapping[str, tuple[int, ...]]
    """Parameters of a member beside the networks', each with a leading axis of 1."""

    def draws(
        self, generators: Sequence[torch.Generator], shape: tuple[int, int], device: torch.device
    ) -> Tensor:
        """Random numbers ``(K, T, E, A)`` for a rollout ``(T, E)``, each member's from its own
        generator."""
        ...

    def act(self, outputs: Tensor, parameters: Mapping[str, Tensor], draw: Tensor) -> Tensor:
        """Actions ``(K, E, A)`` for outputs and draws of the same shape."""
        ...

    def rollout_log_probability(
        self, outputs: Sequence[Tensor], parameters: Mapping[str, Tensor], a: Tensor, draws: Tensor
    ) -> Tensor:
        """``(K, T, E)``: of the actions ``(K, T, E, A)`` of a rollout, from the ``T`` outputs
        ``(K, E, A)`` and the draws that they were made of."""
        ...

    def log_probability(
        self, outputs: Tensor, parameters: Mapping[str, Tensor], a: Tensor
    ) -> tuple[Tensor, Saved]:
        """Of actions ``(K, M, A)``: ``(K, M, 1)``."""
        ...

    def gradients(
        self, saved: Saved, g: Tensor, entropy_coefficient: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Of the loss by the outputs ``(K, M, A)`` and by the parameters of ``shapes``."""
        ...


def distribution_of(space: ActionSpace) -> Distribution:
    """The distribution for a kind of action."""
    if space.kind == "continuous":
        return Gaussian(space.size)
    return Categorical(space.choices) if space.kind == "discrete" else Bernoulli(space.size)


class Gaussian:
    """Independent normal entries with a standard deviation of each that no state changes."""

    def __init__(self, size: int) -> None:
        self.shapes: Mapping[str, tuple[int, ...]] = {"log_std": (1, size)}
        self.size = size

    def draws(
        self, generators: Sequence[torch.Generator], shape: tuple[int, int], device: torch.device
    ) -> Tensor:
        return torch.stack(
            [torch.randn(*shape, self.size, generator=g, device=device) for g in generators]
        )

    def act(self, outputs: Tensor, parameters: Mapping[str, Tensor], draw: Tensor) -> Tensor:
        return torch.addcmul(outputs, parameters["log_std"].exp(), draw)

    def rollout_log_probability(
        self, outputs: Sequence[Tensor], parameters: Mapping[str, Tensor], a: Tensor, draws: Tensor
    ) -> Tensor:
        log_std = parameters["log_std"].unsqueeze(1)
        return (-0.5 * draws**2 - log_std - SQRT_2PI_LOG).sum(-1)

    def log_probability(
        self, outputs: Tensor, parameters: Mapping[str, Tensor], a: Tensor
    ) -> tuple[Tensor, Saved]:
        log_std = parameters["log_std"]
        z = (a - outputs) * torch.exp(-log_std)
        return (-0.5 * z * z - log_std - SQRT_2PI_LOG).sum(-1, keepdim=True), (z, log_std)

    def gradients(
        self, saved: Saved, g: Tensor, entropy_coefficient: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        z, log_std = saved
        by_log_std = (g * (z * z - 1.0)).sum(1, keepdim=True)
        return g * z * torch.exp(-log_std), {"log_std": by_log_std - entropy_coefficient}


class Categorical:
    """One option of each block, drawn by the Gumbel-max trick; actions are one-hot rows."""

    def __init__(self, choices: tuple[int, ...]) -> None:
        self.shapes: Mapping[str, tuple[int, ...]] = {}
        self.choices = choices

    def draws(
        self, generators: Sequence[torch.Generator], shape: tuple[int, int], device: torch.device
    ) -> Tensor:
        size = sum(self.choices)
        uniform = [torch.rand(*shape, size, generator=g, device=device) for g in generators]
        return torch.stack([-(-u.clamp_min(SMALLEST_UNIFORM).log()).log() for u in uniform])

    def act(self, outputs: Tensor, parameters: Mapping[str, Tensor], draw: Tensor) -> Tensor:
        perturbed = (outputs + draw).split(self.choices, dim=-1)
        return torch.cat(
            [
                torch.zeros_like(block).scatter_(-1, block.argmax(-1, keepdim=True), 1.0)
                for block in perturbed
            ],
            dim=-1,
        )

    def rollout_log_probability(
        self, outputs: Sequence[Tensor], parameters: Mapping[str, Tensor], a: Tensor, draws: Tensor
    ) -> Tensor:
        steps = [
            self.log_probability(step, parameters, a[:, t])[0].squeeze(-1)
            for t, step in enumerate(outputs)
        ]
        return torch.stack(steps, dim=1)

    def log_probability(
        self, outputs: Tensor, parameters: Mapping[str, Tensor], a: Tensor
    ) -> tuple[Tensor, Saved]:
        blocks = outputs.split(self.choices, dim=-1)
        logs = torch.cat([torch.log_softmax(block, -1) for block in blocks], dim=-1)
        # Not a product: an option that is impossible has a logarithm of −∞.
        chosen = torch.where(a > 0.5, logs, torch.zeros_like(logs))
        return chosen.sum(-1, keepdim=True), (blocks, logs, a)

    def gradients(
        self, saved: Saved, g: Tensor, entropy_coefficient: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        blocks, logs, a = saved
        p = torch.cat([torch.softmax(block, -1) for block in blocks], dim=-1)
        by_outputs = g * (a - p)
        if entropy_coefficient:
            weighted = p * logs.clamp_min(-1e30)
            entropy = [-block.sum(-1, keepdim=True) for block in weighted.split(self.choices, -1)]
            spread = [
                h.expand_as(block)
                for h, block in zip(entropy, p.split(self.choices, -1), strict=True)
            ]
            by_entropy = -(weighted + p * torch.cat(spread, dim=-1))
            by_outputs = by_outputs - entropy_coefficient / a.shape[1] * by_entropy
        return by_outputs, {}


class Bernoulli:
    """Independent switches; each is a choice between the logits 0 (off) and its own (on)."""

    def __init__(self, size: int) -> None:
        self.shapes: Mapping[str, tuple[int, ...]] = {}
        self.pairs = Categorical((2,) * size)

    def draws(
        self, generators: Sequence[torch.Generator], shape: tuple[int, int], device: torch.device
    ) -> Tensor:
        return self.pairs.draws(generators, shape, device)

    def act(self, outputs: Tensor, parameters: Mapping[str, Tensor], draw: Tensor) -> Tensor:
        return self.pairs.act(_paired(outputs), parameters, draw)[..., 1::2].contiguous()

    def rollout_log_probability(
        self, outputs: Sequence[Tensor], parameters: Mapping[str, Tensor], a: Tensor, draws: Tensor
    ) -> Tensor:
        paired = [_paired(step) for step in outputs]
        both = torch.stack((1.0 - a, a), dim=-1).flatten(-2)
        return self.pairs.rollout_log_probability(paired, parameters, both, draws)

    def log_probability(
        self, outputs: Tensor, parameters: Mapping[str, Tensor], a: Tensor
    ) -> tuple[Tensor, Saved]:
        both = torch.stack((1.0 - a, a), dim=-1).flatten(-2)
        return self.pairs.log_probability(_paired(outputs), parameters, both)

    def gradients(
        self, saved: Saved, g: Tensor, entropy_coefficient: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        by_pairs, by_parameters = self.pairs.gradients(saved, g, entropy_coefficient)
        return by_pairs[..., 1::2].contiguous(), by_parameters


def _paired(outputs: Tensor) -> Tensor:
    """Logits ``(…, 2 A)`` of off and on for each of ``(…, A)`` switches."""
    return torch.stack((torch.zeros_like(outputs), outputs), dim=-1).flatten(-2)
