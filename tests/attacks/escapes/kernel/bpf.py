# Load a program into the kernel.
# ends: PermissionError
syscall(X86["bpf"], 0, 0, 0)
