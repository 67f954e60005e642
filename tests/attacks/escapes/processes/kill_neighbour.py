# Kill another worker.
# ends: PermissionError
import os

os.kill(NEIGHBOUR, 9)
