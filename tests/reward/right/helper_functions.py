WIDTH = 0.4

def bell(x, width=1.0):
    """1 at 0, falling like a Gaussian."""
    return xp.exp(-0.5 * (x / width) ** 2)

def split(x):
    return xp.maximum(x, 0.0), xp.minimum(x, 0.0)

def compute_reward(forward_velocity, pitch):
    forwards, backwards = split(forward_velocity)
    upright = bell(x=pitch, width=WIDTH)
    steady = bell(pitch)
    return forwards + 2.0 * backwards + upright * steady, {
        "forwards": forwards, "backwards": backwards, "upright": upright,
    }
