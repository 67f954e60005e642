def compute_reward(forward_velocity, pitch):
    x = xp.tanh(forward_velocity)
    a = xp.acos(x) + xp.asin(x) + xp.atan(x) + xp.atan2(x, pitch) + xp.atanh(0.9 * x)
    b = xp.sinh(x) + xp.cosh(x) + xp.asinh(x) + xp.acosh(2.0 + x) + xp.tan(x)
    c = xp.exp(x) + xp.expm1(x) + xp.log(2.0 + x) + xp.log1p(0.5 * x) + xp.log2(2.0 + x)
    d = xp.floor(3.0 * x) + xp.ceil(x) + xp.round(x) + xp.trunc(2.0 * x) + xp.sign(x)
    e = xp.hypot(x, 1.0) + xp.copysign(1.0, x) + xp.logaddexp(x, pitch) + xp.log10(2.0 + x)
    f = xp.reciprocal(2.0 + x) + xp.negative(x) + xp.positive(x) + xp.sin(x) + xp.square(x)
    return a + b, {"a": a, "b": b, "c": c, "d": d, "e": e, "f": f}
