# List all processes.
# ends: PermissionError
import os

os.listdir("/proc")
