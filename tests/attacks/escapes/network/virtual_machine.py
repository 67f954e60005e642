# Reach the host of a virtual machine.
# ends: OSError
import socket

socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
