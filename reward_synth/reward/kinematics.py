"""Helper functions on orientations and angles.

Quaternions are MuJoCo's: ``(w, x, y, z)`` with unit length, the scalar first, rotating from the
body's frame to the world's.  Every function takes the array namespace first, which a reward
program does not see, and works along the last axis.
"""

import math
from typing import Any

Array = Any


def wrap_angle(xp: Any, angle: Array) -> Array:
    """The same angle within [-pi, pi) rad; of any shape, such as (N,) or (N, d)."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


def quaternion_conjugate(xp: Any, q: Array) -> Array:
    """The opposite rotation of unit quaternions (w, x, y, z): (N, 4) gives (N, 4)."""
    return q * xp.asarray((1.0, -1.0, -1.0, -1.0))


def quaternion_multiply(xp: Any, q1: Array, q2: Array) -> Array:
    """The rotation q2 followed by q1 (Hamilton's product): (N, 4), (N, 4) give (N, 4)."""
    w1, x1, y1, z1 = (q1[..., i] for i in range(4))
    w2, x2, y2, z2 = (q2[..., i] for i in range(4))
    return xp.stack(
        [
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ],
        axis=-1,
    )


def quaternion_rotate(xp: Any, q: Array, v: Array) -> Array:
    """The vectors v turned by q, from the body's frame to the world's: (N, 4), (N, 3) give (N, 3).

    v + 2 w (u x v) + 2 u x (u x v) with q = (w, u), for unit quaternions.
    """
    w = q[..., 0]
    x, y, z = (q[..., i] for i in range(1, 4))
    a, b, c = (v[..., i] for i in range(3))
    tx, ty, tz = 2.0 * (y * c - z * b), 2.0 * (z * a - x * c), 2.0 * (x * b - y * a)
    return xp.stack(
        [
            a + w * tx + y * tz - z * ty,
            b + w * ty + z * tx - x * tz,
            c + w * tz + x * ty - y * tx,
        ],
        axis=-1,
    )


def quaternion_angle(xp: Any, q1: Array, q2: Array) -> Array:
    """The angle between two orientations, within [0, pi] rad: (N, 4), (N, 4) give (N,).

    2 atan2(|u|, |w|) of the turn from one to the other, which is exact near 0, where the arc
    cosine is not, and does not mind the sign or length of a quaternion.
    """
    turn = quaternion_multiply(xp, quaternion_conjugate(xp, q1), q2)
    vector = xp.sqrt(xp.sum(turn[..., 1:] * turn[..., 1:], axis=-1))
    return 2.0 * xp.atan2(vector, xp.abs(turn[..., 0]))
