# Send a datagram.
# ends: OSError
import socket

socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b"x", ("::1", PORT))
