# Send to a service by its abstract name.
# ends: PermissionError
import socket

socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", "\0" + ABSTRACT + "-datagram")
