# Connect to a service by its abstract name.
# ends: PermissionError
import socket

socket.socket(socket.AF_UNIX).connect("\0" + ABSTRACT)
