# line 2, column 1: classes are not allowed; write plain functions
class Reward:
    def __call__(self, forward_velocity):
        return forward_velocity

def compute_reward(forward_velocity):
    return forward_velocity, {"run": forward_velocity}
