# Reach the hardware's ports.
# ends: PermissionError
syscall(X86["iopl"], 3)
