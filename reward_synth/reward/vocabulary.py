"""The functions a program may call.

``XP_FUNCTIONS`` is the part of the Python Array API standard (2024.12) whose results depend on
one row at a time; ``HELPER_FUNCTIONS`` are the documented helpers beside it.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from functools import partial

from reward_synth.reward import kinematics, plain, shaping
from reward_synth.reward.plain import BINARY, COMPARISONS, DIVISIONS, FUNCTIONS, PREDICATES, UNARY
from reward_synth.reward.rules import (
    Function,
    asarray,
    clip,
    concat,
    condition_reduction,
    cross,
    expand_dims,
    like,
    logical,
    of,
    power,
    quaternions,
    quotient,
    reduction,
    squeeze,
    stack,
    tolerance,
    vecdot,
    vector_norm,
    where,
)

XP_CONSTANTS: Mapping[str, float | None] = {
    "pi": math.pi,
    "e": math.e,
    "inf": math.inf,
    "newaxis": None,
}

XP_FUNCTIONS: Mapping[str, Function] = {
    **{name: of("x", plain=FUNCTIONS[name]) for name in UNARY},
    **{name: of("x", plain=FUNCTIONS[name], boolean=True) for name in PREDICATES},
    **{name: of("a", "b", plain=FUNCTIONS[name]) for name in BINARY},
    **{name: quotient(FUNCTIONS[name]) for name in DIVISIONS},
    **{name: of("a", "b", plain=FUNCTIONS[name], boolean=True) for name in COMPARISONS},
    **{
        name: logical("a", "b", plain=FUNCTIONS[name])
        for name in ("logical_and", "logical_or", "logical_xor")
    },
    "logical_not": logical("x", plain=FUNCTIONS["logical_not"]),
    "pow": Function(("a", "b"), 2, power),
    **{name: reduction() for name in ("sum", "mean", "max", "min", "prod")},
    **{name: reduction("correction") for name in ("std", "var")},
    **{name: condition_reduction() for name in ("all", "any")},
    "where": Function(("condition", "a", "b"), 3, where),
    "clip": Function(("x", "min", "max"), 2, clip),
    "stack": Function(("arrays", "axis"), 1, stack),
    "concat": Function(("arrays", "axis"), 1, concat),
    "asarray": Function(("values",), 1, asarray),
    "zeros_like": like(),
    "ones_like": like(),
    "full_like": like("value"),
    "expand_dims": Function(("x", "axis"), 2, expand_dims),
    "squeeze": Function(("x", "axis"), 2, squeeze),
    "vecdot": Function(("a", "b", "axis"), 2, vecdot),
    "linalg.vecdot": Function(("a", "b", "axis"), 2, vecdot),
    "linalg.cross": Function(("a", "b", "axis"), 2, cross),
    "linalg.vector_norm": Function(("x", "axis", "keepdims", "ord"), 1, vector_norm),
}

HELPER_FUNCTIONS: Mapping[str, Function] = {
    "tolerance": Function(("x", "bounds", "margin", "sigmoid", "value_at_margin"), 1, tolerance),
    "smooth_step": of("x", "low", "high", plain=partial(shaping.smooth_step, plain.XP)),
    "wrap_angle": of("angle", plain=partial(kinematics.wrap_angle, plain.XP)),
    "quaternion_multiply": quaternions("q1", "q2", last=4),
    "quaternion_conjugate": quaternions("q", last=4),
    "quaternion_rotate": quaternions("q", "v", last=3),
    "quaternion_angle": quaternions("q1", "q2", last=None),
}

HELPER_IMPLEMENTATIONS: Mapping[str, Callable[..., object]] = {
    "tolerance": shaping.tolerance,
    "smooth_step": shaping.smooth_step,
    "wrap_angle": kinematics.wrap_angle,
    "quaternion_multiply": kinematics.quaternion_multiply,
    "quaternion_conjugate": kinematics.quaternion_conjugate,
    "quaternion_rotate": kinematics.quaternion_rotate,
    "quaternion_angle": kinematics.quaternion_angle,
}


def signature_line(name: str, function: Callable[..., object]) -> str:
    """``name(arguments)`` as a program writes it: without ``xp`` and without types."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    plain = [parameter.replace(annotation=parameter.empty) for parameter in parameters]
    return name + str(inspect.Signature(plain))


HELPERS: Mapping[str, str] = {
    signature_line(name, function): (inspect.getdoc(function) or "").split("\n")[0]
    for name, function in HELPER_IMPLEMENTATIONS.items()
}
"""Each helper's signature line, and what it does in one line."""
