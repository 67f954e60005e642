# line 2, column 1: this is not Python
```python
def compute_reward(forward_velocity):
    return forward_velocity, {"run": forward_velocity}
```
