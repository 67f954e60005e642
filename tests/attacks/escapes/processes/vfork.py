# Start a process that shares this one's memory.
# ends: PermissionError
syscall(X86["vfork"])
