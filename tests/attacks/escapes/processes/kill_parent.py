# Kill the orchestrator.
# ends: PermissionError
import os

os.kill(PARENT, 9)
