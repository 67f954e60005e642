# Open what the orchestrator has open.
# ends: PermissionError
import os

os.listdir(f"/proc/{PARENT}/fd")
