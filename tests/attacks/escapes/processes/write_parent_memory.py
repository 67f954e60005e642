# Write the orchestrator's memory.
# ends: PermissionError
open(f"/proc/{PARENT}/mem", "r+b")
