# Read the passwords of the machine.
# ends: PermissionError
open("/etc/shadow").read()
