# Rename the machine.
# ends: PermissionError
syscall(X86["sethostname"], b"owned", 5)
