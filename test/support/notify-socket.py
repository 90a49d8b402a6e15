"""Stands in for systemd at the other end of sd_notify(3): prints each message as a line of JSON, with its sender."""
import json
import socket
import struct
import sys

receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
receiver.bind(sys.argv[1])
print(json.dumps({"bound": True}), flush=True)
while True:
    # What comes with it are also the descriptors of BARRIER=1: without room for them the kernel closes them.
    data, ancillary, _, _ = receiver.recvmsg(4096, socket.CMSG_SPACE(struct.calcsize("3i")))
    senders = [
        struct.unpack("3i", value[:12])[0]
        for level, kind, value in ancillary
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS
    ]
    print(json.dumps({"text": data.decode(), "pid": senders[0] if senders else None}), flush=True)
