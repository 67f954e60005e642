# line 4, column 11: the module 'torch' is not available; write xp.exp
# line 5, column 14: the module 'torch' is not available; write xp.sum
def compute_reward(forward_velocity, action):
    run = torch.exp(-forward_velocity)
    effort = torch.sum(action ** 2, dim=-1)
    return run - effort, {"run": run, "effort": effort}
