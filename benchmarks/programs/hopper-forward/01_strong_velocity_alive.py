VELOCITY_WEIGHT = 2.0
ALIVE = 1.0
LEAN_WEIGHT = 1.0


def compute_reward(forward_velocity, pitch, action):
    """Hop forward fast; every step on the leg counts, leaning costs."""
    run = VELOCITY_WEIGHT * forward_velocity
    alive = ALIVE * xp.ones_like(forward_velocity)
    lean = -LEAN_WEIGHT * xp.abs(pitch)
    control = -0.001 * xp.sum(action**2, axis=-1)
    total = run + alive + lean + control
    return total, {"run": run, "alive": alive, "lean": lean, "control": control}
