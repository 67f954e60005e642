"""The helper functions, against formulas and libraries that are not this project's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from reward_synth.reward import HELPERS, RewardError, parse
from reward_synth.reward.shaping import SIGMOIDS

# Each sigmoid's definition in dm_control.utils.rewards, solved by hand: the value at a distance
# of d margins is sigmoid(d), with sigmoid(1) = v.
FORMULAS = {
    "gaussian": lambda d, v: v ** (d**2),
    "hyperbolic": lambda d, v: 1 / np.cosh(d * np.arccosh(1 / v)),
    "long_tail": lambda d, v: 1 / (1 + d**2 * (1 / v - 1)),
    "reciprocal": lambda d, v: 1 / (1 + d * (1 / v - 1)),
    "cosine": lambda d, v: np.where(
        d * np.arccos(2 * v - 1) < np.pi, (1 + np.cos(d * np.arccos(2 * v - 1))) / 2, 0
    ),
    "linear": lambda d, v: np.maximum(1 - d * (1 - v), 0),
    "quadratic": lambda d, v: np.maximum(1 - d**2 * (1 - v), 0),
    "tanh_squared": lambda d, v: 1 - np.tanh(d * np.arctanh(np.sqrt(1 - v))) ** 2,
}

X = np.linspace(-3.0, 4.0, 29)


def one(expression: str, **values: np.ndarray) -> np.ndarray:
    """The value of one expression of the language, on NumPy."""
    arguments = ", ".join(values)
    source = f'def compute_reward({arguments}):\n    y = {expression}\n    return y, {{"y": y}}\n'
    sizes = {name: None if value.ndim == 1 else value.shape[1] for name, value in values.items()}
    return parse(source, sizes).compile("numpy")(**values)[0]


@pytest.mark.parametrize("sigmoid", SIGMOIDS)
@pytest.mark.parametrize("value_at_margin", [0.1, 0.5, 0.9])
def test_tolerance_has_dm_controls_sigmoids(sigmoid: str, value_at_margin: float):
    found = one(
        f"tolerance(x, bounds=(-0.5, 1.0), margin=0.8, sigmoid='{sigmoid}', "
        f"value_at_margin={value_at_margin})",
        x=X,
    )
    distance = np.maximum(np.maximum(-0.5 - X, X - 1.0), 0.0) / 0.8
    expected = FORMULAS[sigmoid](distance, value_at_margin)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    at_margin = one(
        f"tolerance(x, (-0.5, 1.0), 0.8, '{sigmoid}', {value_at_margin})", x=np.array([-1.3, 1.8])
    )
    np.testing.assert_allclose(at_margin, value_at_margin, rtol=1e-12)


@pytest.mark.parametrize("sigmoid", ["cosine", "linear", "quadratic"])
def test_some_sigmoids_reach_zero_at_the_margin(sigmoid: str):
    expression = f"tolerance(x, bounds=(0, 0), margin=2, sigmoid='{sigmoid}', value_at_margin=0)"
    np.testing.assert_allclose(one(expression, x=np.array([0.0, 2.0, 5.0])), [1, 0, 0], atol=1e-12)


def test_tolerance_without_a_margin_is_a_step():
    found = one("tolerance(x, bounds=(0.0, 1.0))", x=np.array([-0.1, 0.0, 0.5, 1.0, 1.1]))
    assert found.tolist() == [0, 1, 1, 1, 0]


def test_tolerance_with_an_open_bound():
    found = one("tolerance(x, bounds=(1.0, xp.inf), margin=1.0)", x=np.array([0.0, 1.0, 1e6]))
    np.testing.assert_allclose(found, [0.1, 1.0, 1.0])


def test_tolerance_refuses_overridden_constants_that_make_no_sense():
    source = (
        "LOW = 0.0\n\ndef compute_reward(x):\n    y = tolerance(x, bounds=(LOW, 1.0))\n"
        '    return y, {"y": y}\n'
    )
    reward = parse(source, {"x": None}).compile(constants={"LOW": 2.0})
    with pytest.raises(RewardError, match=r"line 4, .*lower bound 2 is above its upper bound 1"):
        reward(x=X)


@given(st.floats(-50, 50))
def test_wrap_angle_keeps_the_angle_within_half_a_turn(angle: float):
    wrapped = one("wrap_angle(x)", x=np.array([angle]))[0]
    assert -math.pi <= wrapped <= math.pi
    assert math.isclose(math.cos(wrapped), math.cos(angle), abs_tol=1e-9)
    assert math.isclose(math.sin(wrapped), math.sin(angle), abs_tol=1e-9)


def test_smooth_step_rises_with_level_ends():
    x = np.array([-1.0, 1.0, 1.5, 2.0, 3.0, 5.0])
    np.testing.assert_allclose(
        one("smooth_step(x, 1.0, 3.0)", x=x), [0, 0, 5 / 32, 0.5, 1, 1], atol=1e-12
    )
    np.testing.assert_allclose(
        one("smooth_step(x, 3.0, 1.0)", x=x), [1, 1, 27 / 32, 0.5, 0, 0], atol=1e-12
    )


def rotations(seed: int) -> Rotation:
    return Rotation.from_quat(np.random.default_rng(seed).normal(size=(50, 4)))


def wxyz(rotation: Rotation) -> np.ndarray:
    return rotation.as_quat(scalar_first=True)


def test_quaternions_agree_with_scipy():
    a, b = rotations(1), rotations(2)
    v = np.random.default_rng(3).normal(size=(50, 3))
    q = {"a": wxyz(a), "b": wxyz(b)}
    for i in range(4):
        product = one(f"quaternion_multiply(a, b)[:, {i}]", **q)
        sign = np.sign(np.sum(wxyz(a * b) * one_quaternion(q), axis=-1))
        np.testing.assert_allclose(product, sign * wxyz(a * b)[:, i], atol=1e-12)
    for i in range(3):
        turned = one(f"quaternion_rotate(q, v)[:, {i}]", q=q["a"], v=v)
        np.testing.assert_allclose(turned, a.apply(v)[:, i], atol=1e-12)
        back = one(f"quaternion_rotate(quaternion_conjugate(q), v)[:, {i}]", q=q["a"], v=v)
        np.testing.assert_allclose(back, a.inv().apply(v)[:, i], atol=1e-12)
    angle = one("quaternion_angle(a, b)", **q)
    np.testing.assert_allclose(angle, (a.inv() * b).magnitude(), atol=1e-9)


def one_quaternion(q: dict[str, np.ndarray]) -> np.ndarray:
    return np.stack([one(f"quaternion_multiply(a, b)[:, {i}]", **q) for i in range(4)], axis=-1)


def test_quaternion_angle_is_exact_for_tiny_turns_and_either_sign():
    tiny = wxyz(Rotation.from_rotvec([[1e-8, 0.0, 0.0]]))
    home = np.array([[1.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(one("quaternion_angle(a, b)", a=home, b=tiny), 1e-8, rtol=1e-6)
    np.testing.assert_allclose(one("quaternion_angle(a, b)", a=home, b=-tiny), 1e-8, rtol=1e-6)


def test_helpers_are_listed_for_prompts():
    assert HELPERS["wrap_angle(angle)"].startswith("The same angle within [-pi, pi)")
    assert len(HELPERS) == 7
    assert all(doc.endswith((".", ")")) or len(doc) > 30 for doc in HELPERS.values())
