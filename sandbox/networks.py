"""What the members of a population compute with: their networks, and running statistics.

Every tensor has the members as its leading axis, and no operation mixes members, so that each
computes the same bits as it would alone.  Symbols: ``K`` members; ``θ (K, P)`` all parameters of a
member in one row; ``s`` normalised observations.
"""

import itertools
import math
import os
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from reward_synth.simulation.policy import VARIANCE_EPSILON

# Intel's MKL sums in another order where a matrix lies at another alignment in memory, which it
# does for another K; this forbids it.  MKL looks when it is first used, not when it is loaded.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

FIRST_COUNT = 1e-4
"""Weight of the prior (mean 0, variance 1) in running statistics."""
FEW_COLUMNS = 16
"""Processors multiply matrices slowly where the result has fewer columns."""
WHOLE_VECTORS = 64
"""Numbers that a processor takes at once divide this."""


# --- parameters: one row for each member ------------------------------------------------------


class Layout:
    """Where each layer's weights and biases lie in a row ``(P,)`` of ``θ``.

    Two tanh networks with the same hidden sizes, ``policy`` and ``value``, which may have an input
    of its own; and what the action's distribution learns besides (``log_std``, of a Gaussian).
    """

    def __init__(
        self,
        observation: int,
        action: int,
        hidden: Sequence[int],
        critic_observation: int = 0,
        others: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        inputs = (("policy", observation, action), ("value", critic_observation or observation, 1))
        for network, size, out in inputs:
            widths = [size, *hidden, out]
            for layer, (i, o) in enumerate(itertools.pairwise(widths)):
                self.shapes[f"{network}.{layer}.weight"] = (i, o)
                self.shapes[f"{network}.{layer}.bias"] = (1, o)
        self.shapes |= {"log_std": (1, action)} if others is None else others
        self.depth = len(hidden) + 1
        self.size = sum(math.prod(shape) for shape in self.shapes.values())

    def views(self, theta: Tensor) -> dict[str, Tensor]:
        """Parameters by name, ``(K, …)`` each, sharing ``θ``'s memory."""
        parts = theta.split([math.prod(shape) for shape in self.shapes.values()], dim=1)
        return {
            name: part.unflatten(1, shape)
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }

    def initial(self, initial_log_std: float, generator: torch.Generator) -> Tensor:
        """``(P,)``: orthogonal weights; gain √2, 0.01 for the action's mean, 1 for the value."""
        theta = torch.zeros(1, self.size)
        for name, view in self.views(theta).items():
            if name == "log_std":
                view.fill_(initial_log_std)
            elif name.endswith("weight"):
                network, layer, _ = name.split(".")
                last = int(layer) == self.depth - 1
                gain = math.sqrt(2.0) if not last else 0.01 if network == "policy" else 1.0
                weight = torch.empty(view.shape[2], view.shape[1])
                torch.nn.init.orthogonal_(weight, gain, generator=generator)
                view[0] = weight.T
        return theta[0]

    def layers(self, network: str, parameters: Mapping[str, Tensor], s: Tensor) -> list[Tensor]:
        """What each layer gives for inputs ``(K, M, obs)``: input, hidden layers, output."""
        values = [s]
        for layer in range(self.depth):
            weight, bias = (parameters[f"{network}.{layer}.{part}"] for part in ("weight", "bias"))
            out = product(values[-1], weight).add_(bias)
            values.append(tanh_(out) if layer < self.depth - 1 else out)
        return values

    def apply(self, network: str, parameters: Mapping[str, Tensor], s: Tensor) -> Tensor:
        """The network's output ``(K, M, out)`` for inputs ``(K, M, obs)``."""
        return self.layers(network, parameters, s)[-1]

    def gradients(
        self, network: str, parameters: Mapping[str, Tensor], values: list[Tensor], g: Tensor
    ) -> dict[str, Tensor]:
        """Of a loss by the network's parameters, given ``g``, that by its output (backpropagation).

        By hand, because a small network's automatic differentiation is all overhead.
        """
        found: dict[str, Tensor] = {}
        for layer in reversed(range(self.depth)):
            weight, x = parameters[f"{network}.{layer}.weight"], values[layer]
            found[f"{network}.{layer}.weight"] = product(x.mT, g)
            found[f"{network}.{layer}.bias"] = g.sum(1, keepdim=True)
            if layer > 0:
                g = product(g, weight.mT)
                torch.ops.aten.tanh_backward.grad_input(g, x, grad_input=g)  # g (1 − x²)
        return found


def product(x: Tensor, y: Tensor) -> Tensor:
    """Matrix products ``(K, m, n)`` of ``(K, m, k)`` and ``(K, k, n)``, each as it is alone."""
    if y.shape[2] == 1:  # the order in which such a product is summed up may depend on K
        return (x * y.mT).sum(-1, keepdim=True)
    if x.shape[2] == 1:
        return x * y
    if y.shape[2] < min(FEW_COLUMNS, x.shape[1]):
        return torch.bmm(y.mT, x.mT).mT.contiguous()
    return torch.bmm(x, y)


def tanh_(x: Tensor) -> Tensor:
    """Hyperbolic tangent of ``(K, …)`` in place, to 1e-7."""
    if x[0].numel() % WHOLE_VECTORS:  # what is left over is computed in another way
        return x.tanh_()
    return x.mul_(2.0).sigmoid_().mul_(2.0).sub_(1.0)  # in a fourth of the time


# --- running statistics -----------------------------------------------------------------------


class RunningMoments:
    """Mean and variance of ``(K, …, d)`` samples so far (Chan et al.'s parallel update)."""

    def __init__(self, members: int, size: int, device: torch.device) -> None:
        self.mean = torch.zeros(members, 1, size, dtype=torch.float64, device=device)
        self.variance = torch.ones_like(self.mean)
        self.count = torch.full((members, 1, 1), FIRST_COUNT, dtype=torch.float64, device=device)

    def update(self, samples: Tensor) -> None:
        """Take in ``(K, M, d)`` samples."""
        count = samples.shape[1]
        variance, mean = torch.var_mean(samples.double(), dim=1, keepdim=True, correction=0)
        delta = mean - self.mean
        total = self.count + count
        share = count / total
        self.mean += delta * share
        self.variance += (variance - self.variance + delta * delta * (1.0 - share)) * share
        self.count = total

    def tensors(self, name: str) -> dict[str, Tensor]:
        """All of it, by names that begin with ``name``."""
        parts = {"mean": self.mean, "variance": self.variance, "count": self.count}
        return {f"{name}.{part}": tensor for part, tensor in parts.items()}

    def scale(self) -> Tensor:
        """``(K, 1, d)`` standard deviation."""
        return torch.sqrt(self.variance + VARIANCE_EPSILON)
