JOINTS = 3

def compute_reward(joint_angles, joint_velocities):
    bend = 0.0
    speed = 0.0
    for i in range(JOINTS):
        bend = bend - joint_angles[:, i] ** 2
        for j in range(i, JOINTS, 2):
            speed += xp.abs(joint_velocities[..., j]) * 0.1
    return bend - speed, {"bend": bend, "speed": -speed}
