def compute_reward(forward_velocity, action):
    total = forward_velocity
    total += 1.0
    total *= 2.0
    total -= 0.1 * xp.sum(xp.abs(action), axis=-1)
    total /= 3.0
    forward_velocity **= 2
    return total, {"energy": forward_velocity}
