# refused: line 2,
```python
def compute_reward(pitch):
    return pitch, {'p': pitch}
```
import os
