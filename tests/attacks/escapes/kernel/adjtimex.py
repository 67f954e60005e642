# Adjust the clock.
# ends: PermissionError
syscall(X86["adjtimex"], bytes(400))
