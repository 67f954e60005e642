# Read the orchestrator's keys.
# ends: PermissionError
open(f"/proc/{PARENT}/environ").read()
