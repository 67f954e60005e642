USE_HEIGHT = 1
TARGET = 1.25

def compute_reward(torso_height, forward_velocity):
    if USE_HEIGHT > 0 and TARGET > 1.0:
        height = -xp.abs(torso_height - TARGET)
    elif not USE_HEIGHT:
        height = 0.0
    else:
        height = torso_height
    weight = 2.0 if USE_HEIGHT == 1 else 1.0
    return weight * height + forward_velocity, {"height": height, "run": forward_velocity}
