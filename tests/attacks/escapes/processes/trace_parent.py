# Take the orchestrator over with ptrace.
# ends: PermissionError
syscall(X86["ptrace"], 16, PARENT, 0, 0)
