"""Policies as plain arrays: a small network on normalised observations, and its file.

Trained policies come out of the sandbox as ``safetensors`` files that nobody vouches for, so
:func:`load_policy` trusts nothing about them; running one needs NumPy alone.
"""

import json
import math
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ActionSpace

VARIANCE_EPSILON = 1e-8
"""Added to the variance, as stable-baselines3's ``VecNormalize`` does."""
OBSERVATION_CLIP = 10.0
"""Normalised observations are clipped to this, as ``VecNormalize`` does."""
LARGEST_FILE = 64 * 2**20
"""Bytes.  A network of three layers of 1024 takes a quarter of it."""
LARGEST_HEADER = 64 * 2**10
"""Bytes: hundreds of tensors.  The header is JSON, whose objects take many times its size."""
LONGEST_DETAIL = 300
"""Characters of what is wrong with a file."""
WIDEST_LAYER = 4096
"""Outputs: they bound what one step of many episodes takes."""
ACTIVATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
}
"""What may stand between layers."""
ZIP_SUFFIX = ".zip"
_ZIP_MAGIC = b"PK\x03\x04"
_NAME = re.compile(r"[A-Za-z0-9_.]{1,100}")
_LAYER = re.compile(r"policy\.(0|[1-9][0-9]?)\.(weight|bias)")


@dataclass(frozen=True, eq=False)
class Policy:
    """A deterministic policy: calling it gives the action's mean.

    Layer ``k`` computes ``weights[k] @ x + biases[k]``, with an activation between layers.
    """

    observation_mean: np.ndarray
    """``(obs,)``"""
    observation_variance: np.ndarray
    """``(obs,)``"""
    weights: tuple[np.ndarray, ...]
    """``(out, in)`` each; the last layer gives the action's mean."""
    biases: tuple[np.ndarray, ...]
    """``(out,)`` each."""
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)
    """What else the file holds (``log_std``, ``value.0.weight``, …); the policy ignores it."""
    activation: str = "tanh"
    """One of ``ACTIVATIONS``."""
    squash: bool = False
    """Whether tanh brings the action into [-1, 1], as in SAC and TD3; else it is clipped."""
    observation_clip: float = OBSERVATION_CLIP
    """Normalised observations are clipped to this; infinite for networks that know no clipping."""
    space: ActionSpace | None = None
    """What the last layer's outputs stand for; continuous of their number if None."""

    @property
    def action_space(self) -> ActionSpace:
        """The space of the policy's actions."""
        return self.space or ActionSpace("continuous", len(self.biases[-1]))

    def __call__(self, observation: np.ndarray) -> np.ndarray:
        """Actions ``(N, A)`` of the policy's space for observations ``(N, obs)``."""
        scale = np.sqrt(self.observation_variance + VARIANCE_EPSILON)
        # Weights are finite, but products of huge ones may not be: those actions become 0.
        with np.errstate(over="ignore", invalid="ignore"):
            x = (np.asarray(observation, np.float64) - self.observation_mean) / scale
            x = np.clip(x, -self.observation_clip, self.observation_clip)
            x = x.astype(self.weights[0].dtype)
            activate = ACTIVATIONS[self.activation]
            last = len(self.weights) - 1
            for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
                x = x @ weight.T + bias
                if index < last:
                    x = activate(x)
            if self.squash:
                x = np.tanh(x)
        return self.action_space.likeliest(x)


def save_policy(path: Path, policy: Policy, extra: Mapping[str, np.ndarray] | None = None) -> None:
    """Write a policy as safetensors, all at once or not at all.

    ``extra`` tensors are kept beside it; their names may not begin with ``policy.`` or
    ``observation.``.

    Raises:
        OSError: the file cannot be written.
    """
    tensors = {
        "observation.mean": policy.observation_mean,
        "observation.variance": policy.observation_variance,
    }
    for index, (weight, bias) in enumerate(zip(policy.weights, policy.biases, strict=True)):
        tensors[f"policy.{index}.weight"] = weight
        tensors[f"policy.{index}.bias"] = bias
    more = {**policy.extra, **(extra or {})}
    for name in more:
        if not _NAME.fullmatch(name) or name.startswith(("policy.", "observation.")):
            raise ValueError(f"an extra tensor may not be named {name!r}")
    tensors |= more
    data = safetensors.numpy.save(
        {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()},
        _describe(policy),
    )
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    os.replace(partial, path)


_USUAL: Mapping[str, Any] = {
    "activation": "tanh",
    "squash": False,
    "observation_clip": OBSERVATION_CLIP,
}
_METADATA = "policy"
_KIND, _CHOICES = "actions", "choices"


def _describe(policy: Policy) -> dict[str, str] | None:
    """What the tensors do not say, as the file's metadata; none where it is the usual.

    One entry, because several come out of safetensors in any order, and the same policy would
    give different files.
    """
    described = {name: getattr(policy, name) for name in _USUAL}
    if described["observation_clip"] == math.inf:
        described["observation_clip"] = None  # JSON knows no infinity
    unusual = {name: value for name, value in described.items() if value != _USUAL[name]}
    if policy.action_space.kind != "continuous":
        unusual[_KIND] = policy.action_space.kind
        unusual[_CHOICES] = list(policy.action_space.choices)
    return {_METADATA: json.dumps(unusual, sort_keys=True)} if unusual else None


def load_policy(path: Path, observation_size: int, space: ActionSpace) -> Policy:
    """Read a policy for a task with observations of that size and that action space.

    The file is one that :func:`save_policy` wrote or, named ``….zip``, a model that
    stable-baselines3 saved, of which the weights alone are read.

    Raises:
        UserError: no such file, or anything about it that is not a policy for this task.
    """
    path = Path(path)
    data = _read_limited(path)
    if data.startswith(_ZIP_MAGIC):
        # By its name too: nothing that a sandbox hands back as safetensors may take this way.
        if path.suffix.lower() != ZIP_SUFFIX:
            raise UserError(
                f"{path} is a zip archive; a stable-baselines3 model has to be named …{ZIP_SUFFIX}"
            )
        from reward_synth.simulation.sb3_policy import read_sb3_policy

        return read_sb3_policy(path, data, observation_size, space)
    tensors = _read_tensors(path, data)
    described, kind = _read_description(path, data)
    mean = _take(path, tensors, "observation.mean", (observation_size,))
    variance = _take(path, tensors, "observation.variance", (observation_size,))
    if (variance < 0).any():
        raise UserError(f"{path}: observation.variance has negative entries")
    weights: list[np.ndarray] = []
    biases: list[np.ndarray] = []
    width = observation_size
    while (name := f"policy.{len(weights)}.weight") in tensors:
        shape = tensors[name].shape
        if len(shape) != 2 or shape[0] == 0:
            raise UserError(f"{path}: {name} has shape {shape}; a weight is (outputs, inputs)")
        if shape[0] > WIDEST_LAYER:
            raise UserError(f"{path}: {name} has {shape[0]} outputs, more than {WIDEST_LAYER}")
        weight = _take(path, tensors, name, (shape[0], width))
        bias = _take(path, tensors, f"policy.{len(weights)}.bias", (shape[0],))
        if weight.dtype != bias.dtype or (weights and weight.dtype != weights[0].dtype):
            raise UserError(f"{path}: the policy's layers are not all of one dtype")
        weights.append(weight)
        biases.append(bias)
        width = shape[0]
    if not weights:
        raise UserError(f"{path} has no policy.0.weight, so it holds no policy")
    check_space(path, width, kind, space)
    for name in tensors:
        if name.startswith(("policy.", "observation.")):
            raise UserError(f"{path}: unexpected tensor {name}")
    return Policy(mean, variance, tuple(weights), tuple(biases), tensors, **described, space=space)


def check_space(
    path: Path, width: int, kind: tuple[str, tuple[int, ...]], space: ActionSpace
) -> None:
    """Check that a policy of so many outputs, of that kind of actions, is for this space.

    Raises:
        UserError: it is not.
    """
    if width != space.size:
        raise UserError(
            f"{path}: the policy gives {width} action entries, but the task takes {space.size}; "
            "it was trained for another task"
        )
    if kind != (space.kind, space.choices):
        theirs, ours = (
            f"{k} {list(c)}" if c else k for k, c in (kind, (space.kind, space.choices))
        )
        raise UserError(
            f"{path}: the policy's actions are {theirs}, but the task's are {ours}; it was trained "
            "for another task"
        )


def _read_description(
    path: Path, data: bytes
) -> tuple[dict[str, Any], tuple[str, tuple[int, ...]]]:
    """``Policy``'s fields from a sound file's metadata, whose other entries mean nothing here, and
    the kind of its actions with the options of each choice."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    text = (header.get("__metadata__") or {}).get(_METADATA, "{}")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or not told.keys() <= {*_USUAL, _KIND, _CHOICES}:
        raise UserError(f"{path}: its description {text[:80]!r} is none of a policy")
    kind, choices = told.pop(_KIND, "continuous"), told.pop(_CHOICES, [])
    options = isinstance(choices, list) and all(type(count) is int for count in choices)
    if kind not in ("continuous", "discrete", "binary") or not options:
        raise UserError(f"{path}: actions are {str(kind)[:50]!r} of {str(choices)[:50]!r}")
    found = {**_USUAL, **told}
    activation, squash, clip = found["activation"], found["squash"], found["observation_clip"]
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise UserError(
            f"{path}: activation is {str(activation)[:50]!r}; a policy has "
            f"{' or '.join(ACTIVATIONS)}"
        )
    if not isinstance(squash, bool):
        raise UserError(f"{path}: squash is {str(squash)[:50]!r}, neither true nor false")
    if squash and kind != "continuous":
        raise UserError(f"{path}: squash is of continuous actions, and these are {kind}")
    if clip is None:
        clip = math.inf
    elif not isinstance(clip, float) or not clip > 0:
        raise UserError(f"{path}: observation_clip is {str(clip)[:50]!r}, no number above 0")
    fields = {"activation": activation, "squash": squash, "observation_clip": clip}
    return fields, (kind, tuple(choices))


def _take(
    path: Path, tensors: dict[str, np.ndarray], name: str, shape: tuple[int, ...]
) -> np.ndarray:
    """Remove a tensor from ``tensors``, after checking its shape."""
    if name not in tensors:
        raise UserError(f"{path} has no tensor {name}, so it holds no policy")
    tensor = tensors.pop(name)
    if tensor.shape != shape:
        hint = "; was it trained for another task?" if name != "observation.variance" else ""
        raise UserError(f"{path}: {name} has shape {tensor.shape}, not {shape}{hint}")
    return tensor


def _read_tensors(path: Path, data: bytes) -> dict[str, np.ndarray]:
    """Every tensor of a safetensors file, after checking what can be checked of one."""
    header = int.from_bytes(data[:8], "little")
    if header > LARGEST_HEADER:
        raise UserError(
            f"{path} is not a policy file: its header claims {header} bytes, more than "
            f"{LARGEST_HEADER}"
        )
    try:
        tensors = safetensors.numpy.load(data)
    except (SafetensorError, KeyError, TypeError, ValueError, OverflowError) as error:
        detail = ascii(" ".join(str(error).split()))[1:-1][:LONGEST_DETAIL]  # repeats the header
        raise UserError(f"{path} is not a safetensors file: {detail}") from None
    for name, tensor in tensors.items():
        if not _NAME.fullmatch(name):
            raise UserError(f"{path} is not a policy file: a tensor is named {name[:50]!r}")
        if tensor.dtype not in (np.float32, np.float64):
            raise UserError(f"{path}: {name} is {tensor.dtype}; a policy holds float32 or float64")
        if not np.isfinite(tensor).all():
            raise UserError(f"{path}: {name} has entries that are not finite")
    return tensors


def _read_limited(path: Path) -> bytes:
    """The bytes of a regular file of at most ``LARGEST_FILE``."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UserError(f"cannot read the policy {path}: it is not a file")
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"cannot read the policy {path}: {reason}") from None
    if len(data) > LARGEST_FILE:
        raise UserError(f"{path} is not a policy file: it is larger than {LARGEST_FILE} bytes")
    return data


def _open_without_waiting(path: str, flags: int) -> int:
    # Opening a pipe that somebody put there would otherwise wait for ever.
    return os.open(path, flags | os.O_NONBLOCK)
