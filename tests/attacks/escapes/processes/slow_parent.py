# Give the orchestrator the lowest priority.
# ends: PermissionError
import os

os.setpriority(os.PRIO_PROCESS, PARENT, 19)
