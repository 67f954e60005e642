# Write to the machine's temporary folder.
# ends: PermissionError
open("/tmp/owned", "w")
