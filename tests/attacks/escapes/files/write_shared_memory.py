# Write to the machine's shared memory.
# ends: PermissionError
open("/dev/shm/owned", "w")
