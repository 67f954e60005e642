def compute_reward(torso_height):
    standing = torso_height >= 1.0
    return standing, {"standing": standing, "fallen": ~standing}
