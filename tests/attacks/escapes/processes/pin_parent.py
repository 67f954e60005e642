# Keep the orchestrator to one processor.
# ends: PermissionError
import os

os.sched_setaffinity(PARENT, {0})
