# Measure other processes.
# ends: PermissionError
syscall(X86["perf_event_open"], 0, 0, -1, -1, 0)
