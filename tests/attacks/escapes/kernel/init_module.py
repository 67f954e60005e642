# Load a module.
# ends: PermissionError
syscall(X86["init_module"], 0, 0, 0)
