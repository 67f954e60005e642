# line 6, column 12: the function 'ping' calls itself; write for i in range(...)
def ping(x):
    return pong(x)

def pong(x):
    return ping(x)

def compute_reward(forward_velocity):
    run = ping(forward_velocity)
    return run, {"run": run}
