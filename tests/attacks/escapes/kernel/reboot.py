# Restart the machine.
# ends: PermissionError
syscall(X86["reboot"], 0xFEE1DEAD, 672274793, 0, 0)
