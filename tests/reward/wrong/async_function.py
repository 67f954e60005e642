# line 1, column 1: there is no function compute_reward; define def compute_reward(...): that
# line 3, column 1: async functions are not allowed; write def
async def compute_reward(forward_velocity):
    return forward_velocity, {"run": forward_velocity}
