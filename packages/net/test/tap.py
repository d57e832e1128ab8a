#!/usr/bin/env python3
"""A TAP device in a network namespace of its own, for the tests: frames come and go on standard input and output, each
behind its length as two bytes. Arguments: the address of the device, and a program that runs beside it.
Usage: unshare --net python3 tap.py 10.0.0.1/24 COMMAND..."""
import fcntl, os, select, struct, subprocess, sys

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", b"tap0", IFF_TAP | IFF_NO_PI))
for command in ("ip link set lo up", f"ip addr add {sys.argv[1]} dev tap0", "ip link set tap0 up"):
    subprocess.run(command.split(), check=True)
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=sys.stderr) if sys.argv[2:] else None
buffered = b""
try:
    while True:
        ready, _, _ = select.select([tap, 0], [], [])
        if tap in ready:
            frame = os.read(tap, 65536)
            data = struct.pack(">H", len(frame)) + frame
            while data:
                data = data[os.write(1, data):]
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                break
            buffered += data
            while len(buffered) >= 2 and len(buffered) >= 2 + struct.unpack(">H", buffered[:2])[0]:
                size = struct.unpack(">H", buffered[:2])[0]
                os.write(tap, buffered[2 : 2 + size])
                buffered = buffered[2 + size :]
finally:
    if child:
        child.kill()
