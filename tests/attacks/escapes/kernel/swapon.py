# Add swap space.
# ends: PermissionError
syscall(X86["swapon"], b"own", 0)
