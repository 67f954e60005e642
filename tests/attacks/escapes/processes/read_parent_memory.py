# Read the orchestrator's memory.
# ends: PermissionError
syscall(X86["process_vm_readv"], PARENT, 0, 0, 0, 0, 0)
