"""Reads the policy out of a model that stable-baselines3 saved: weights alone, nothing unpickled.

Such a ``.zip`` holds ``policy.pth``, a state dict that ``torch.load(weights_only=True)`` reads, and
``data``, JSON whose pickled entries are ignored here.  The state dict's names tell the algorithm
and the layers; plain text in the JSON tells the activation and the range of the actions, and where
it does not, stable-baselines3's defaults are taken: tanh for PPO and A2C, ReLU for SAC, TD3 and
DDPG, actions in [-1, 1].

A zip says nothing of a ``VecNormalize`` that stood between its policy and the environment during
training: the policy is given raw observations.
"""

import io
import json
import math
import pickletools
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ActionSpace
from reward_synth.simulation.policy import ACTIVATIONS, LARGEST_FILE, Policy, check_space

LARGEST_DATA = 8 * 2**20
"""Bytes of the JSON; its largest entry is the last observation of all environments."""
LARGEST_PICKLE = 256 * 2**10
"""Bytes of a state dict's pickle, which names hundreds of tensors in some tens of KiB."""
MOST_MEMBERS = 2000
"""Members of an archive; a state dict has one for each tensor."""
WEIGHTS_ALONE = frozenset(
    {
        "collections OrderedDict",
        "torch._utils _rebuild_tensor_v2",
        "torch FloatStorage",
        "torch DoubleStorage",
        "torch LongStorage",
    }
)
"""All that the pickle of a state dict may name."""
ACTIVATION_CLASSES = {"Tanh": "tanh", "ReLU": "relu"}
HOW_TO = "; it has to be a PPO, A2C, SAC, TD3 or DDPG model with an MlpPolicy"

_CENTRAL_HEADER = b"PK\x01\x02"
_STATE_MEMBER = re.compile(r"[^/]+/(data\.pkl|version|byteorder|data/[0-9]{1,6})")

_ON_POLICY = re.compile(
    r"log_std|(action_net|value_net)\.(weight|bias)"
    r"|mlp_extractor\.(policy_net|value_net)\.[0-9]{1,2}\.(weight|bias)"
)
_SAC_ACTOR = re.compile(r"actor\.(latent_pi\.[0-9]{1,2}|mu|log_std)\.(weight|bias)")
_TD3_ACTOR = re.compile(r"actor\.mu\.[0-9]{1,2}\.(weight|bias)")


def read_sb3_policy(path: Path, data: bytes, observation_size: int, space: ActionSpace) -> Policy:
    """The deterministic policy in a model's bytes, for observations of that size and that space.

    Raises:
        UserError: anything about it that is not such a policy.
    """
    archive = _open(path, data)
    facts = _read_facts(path, archive)
    state = _read_state(path, _read_member(path, archive, "policy.pth", LARGEST_FILE))
    names, off_policy = _layer_names(path, state)
    weights: list[np.ndarray] = []
    biases: list[np.ndarray] = []
    width = observation_size
    for name in names:
        weight = _array(path, state, f"{name}.weight", 2)
        bias = _array(path, state, f"{name}.bias", 1)
        if not weights and weight.shape[1] != width:
            raise UserError(
                f"{path}: the policy takes {weight.shape[1]} observation entries, but the task "
                f"gives {width}; it was trained for another task"
            )
        if weight.shape != (len(bias), width):
            raise UserError(f"{path}: {name} does not fit the layer before it")
        weights.append(weight)
        biases.append(bias)
        width = len(bias)
    check_space(path, width, _kind(path, facts), space)
    if not off_policy and ("log_std" in state) != (space.kind == "continuous"):
        raise UserError(f"{path}: its networks are not understood{HOW_TO}")
    settings = facts.get("policy_kwargs")
    settings = settings if isinstance(settings, dict) else {}
    squash = off_policy or settings.get("squash_output") is True
    if not squash and space.kind == "continuous":
        _check_range(path, facts)
    return Policy(
        observation_mean=np.zeros(observation_size),
        observation_variance=np.ones(observation_size),
        weights=tuple(weights),
        biases=tuple(biases),
        activation=_activation(path, settings, "relu" if off_policy else "tanh"),
        squash=squash,
        observation_clip=math.inf,
        space=space,
    )


# --- the archive -----------------------------------------------------------------------------


def _open(path: Path, data: bytes) -> zipfile.ZipFile:
    """An archive of not too many members."""
    if data.count(_CENTRAL_HEADER) > MOST_MEMBERS:
        raise UserError(f"{path} is not a policy file: more than {MOST_MEMBERS} members")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise UserError(f"{path} is not a whole zip archive: {_line(error)}") from None


def _read_member(path: Path, archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """The bytes of one member, of which there may be ``limit``."""
    try:
        member = archive.getinfo(name)
    except KeyError:
        raise UserError(
            f"{path} has no {name}, so it is not a model that stable-baselines3 saved"
        ) from None
    if member.file_size > limit:
        raise UserError(f"{path} is not a policy file: {name} is larger than {limit} bytes")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UserError(f"{path}: {name} is packed in a way that no policy file is")
    try:
        with archive.open(member) as file:
            return file.read(limit)
    except Exception as error:  # zipfile and zlib raise a dozen kinds
        raise UserError(f"{path}: {name} cannot be read: {_line(error)}") from None


def _read_facts(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    """The model's JSON; what is pickled in it stays text."""
    text = _read_member(path, archive, "data", LARGEST_DATA)
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: its data is not JSON: {_line(error)}") from None
    if not isinstance(facts, dict):
        raise UserError(f"{path}: its data is not a JSON object")
    return facts


def _read_state(path: Path, data: bytes) -> dict[str, torch.Tensor]:
    """The state dict, read from an archive that holds nothing but its parts.

    The archive is packed anew, so that torch's reader meets no size, packing or member that was
    not seen here.
    """
    if not data.startswith(b"PK"):
        raise UserError(f"{path}: its policy.pth is not what torch has saved since 1.6")
    parts = _open(path, data)
    packed = io.BytesIO()
    left = LARGEST_FILE
    with zipfile.ZipFile(packed, "w") as anew:
        for name in parts.namelist():
            if match := _STATE_MEMBER.fullmatch(name):
                limit = LARGEST_PICKLE if match[1] == "data.pkl" else left
                content = _read_member(path, parts, name, limit)
                left -= len(content)
                if match[1] == "data.pkl":
                    _check_pickle(path, content)
                anew.writestr(f"state/{match[1]}", content)
    try:
        state = torch.load(io.BytesIO(packed.getvalue()), map_location="cpu", weights_only=True)
    except Exception as error:  # torch promises none in particular
        raise UserError(f"{path}: its policy.pth cannot be read: {_line(error)}") from None
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise UserError(f"{path}: its policy.pth is not a state dict")
    return state


def _check_pickle(path: Path, content: bytes) -> None:
    """Refuse a pickle that names anything but tensors and the dict that holds them."""
    try:
        wanted = {arg for code, arg, _ in pickletools.genops(content) if code.name == "GLOBAL"}
    except Exception as error:  # whatever bytes are in there
        raise UserError(f"{path}: its policy.pth cannot be read: {_line(error)}") from None
    if strange := sorted(str(name) for name in wanted - WEIGHTS_ALONE):
        raise UserError(
            f"{path}: its policy.pth asks for {strange[0][:60].replace(' ', '.')!r}; weights need "
            "nothing of the kind"
        )


# --- the network -----------------------------------------------------------------------------


def _layer_names(path: Path, state: Iterable[str]) -> tuple[list[str], bool]:
    """Names of the policy's linear layers in order, and whether the algorithm is off-policy."""
    names = set(state)
    actor = {name for name in names if name.startswith("actor.")}
    if "action_net.weight" in names and all(_ON_POLICY.fullmatch(name) for name in names):
        hidden = _numbered(path, names, "mlp_extractor.policy_net")
        return [*hidden, "action_net"], False
    if "actor.mu.weight" in actor and all(_SAC_ACTOR.fullmatch(name) for name in actor):
        return [*_numbered(path, names, "actor.latent_pi"), "actor.mu"], True
    if actor and all(_TD3_ACTOR.fullmatch(name) for name in actor):
        return _numbered(path, names, "actor.mu"), True
    if "actor.log_std" in actor:
        raise UserError(f"{path}: SAC with use_sde is not supported{HOW_TO}")
    known = (_ON_POLICY, _SAC_ACTOR, _TD3_ACTOR)
    other = [name for name in sorted(names) if not any(k.fullmatch(name) for k in known)]
    other = [name for name in other if not name.startswith(("critic", "actor_target"))]
    found = f", and {other[0][:60]!r} is of none" if other else ""
    raise UserError(f"{path}: its networks are not understood{HOW_TO}{found}")


def _numbered(path: Path, names: Iterable[str], prefix: str) -> list[str]:
    """``prefix.0``, ``prefix.2``, …: linear layers with an activation after each."""
    start = len(prefix) + 1
    numbers = sorted({int(n[start:].split(".")[0]) for n in names if n.startswith(prefix + ".")})
    if numbers != list(range(0, 2 * len(numbers), 2)):
        raise UserError(f"{path}: {prefix} is not linear layers with activations between{HOW_TO}")
    return [f"{prefix}.{number}" for number in numbers]


def _array(path: Path, state: dict[str, Any], name: str, dimensions: int) -> np.ndarray:
    """One tensor as float32, after checking what it claims."""
    tensor = state.get(name)
    if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided:
        raise UserError(f"{path} has no tensor {name}")
    if tensor.dtype not in (torch.float32, torch.float64) or tensor.ndim != dimensions:
        shape = tuple(tensor.shape)
        raise UserError(f"{path}: {name} is {tensor.dtype} of shape {shape}, not a layer's")
    # A stride of 0 makes a tensor of any size out of one number.
    if tensor.numel() == 0 or tensor.nbytes > tensor.untyped_storage().nbytes():
        raise UserError(f"{path}: {name} claims a shape {tuple(tensor.shape)} that it has not")
    array = tensor.numpy().astype(np.float32)
    if not np.isfinite(array).all():
        raise UserError(f"{path}: {name} has entries that are not finite")
    return array


def _activation(path: Path, settings: dict[str, Any], usual: str) -> str:
    """The activation that the JSON spells out, as in ``<class 'torch.nn….activation.ReLU'>``."""
    told = settings.get("activation_fn")
    if told is None:
        return usual
    found = re.search(r"\.(\w{1,40})'>$", told) if isinstance(told, str) else None
    if found is None or found[1] not in ACTIVATION_CLASSES:
        name = found[1] if found else str(told)[:60]
        raise UserError(
            f"{path}: activation {name} is not supported; {' and '.join(ACTIVATIONS)} are"
        )
    return ACTIVATION_CLASSES[found[1]]


def _kind(path: Path, facts: dict[str, Any]) -> tuple[str, tuple[int, ...]]:
    """The kind of a model's actions, and the options of each choice of discrete ones."""
    space = facts.get("action_space")
    space = space if isinstance(space, dict) else {}
    name = str(space.get(":type:", ""))
    if "MultiBinary" in name:
        return "binary", ()
    if "Discrete" not in name:
        return "continuous", ()
    counts = str(space.get("nvec" if "MultiDiscrete" in name else "n", ""))
    try:
        return "discrete", tuple(int(count) for count in counts.strip("[]").split())
    except ValueError:
        raise UserError(f"{path}: its action space has {counts[:60]!r} options") from None


def _check_range(path: Path, facts: dict[str, Any]) -> None:
    """Refuse a policy whose actions are clipped to another range than [-1, 1]."""
    space = facts.get("action_space")
    space = space if isinstance(space, dict) else {}
    for which, expected in (("low", -1.0), ("high", 1.0)):
        told = space.get(which)  # the text of an array, as in "[-1. -1.]"
        if told is None:
            continue
        try:
            wrong = any(float(number) != expected for number in str(told).strip("[]").split())
        except ValueError:
            wrong = True
        if wrong:
            shown = " ".join(str(told)[:60].split())
            raise UserError(
                f"{path}: {which} of its actions is {shown}, but actions have to be in [-1, 1]"
            )


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
