#!/usr/bin/env python3
"""Records what Linux does with random mounts: run as root, `record-mounts.py > mounts-linux.jsonl`.

A line is one sequence: {"operations": [[operation, answer], ...], "mounts": [...]}. Every file system is a tmpfs with the
directories below; `mounts` says what there is in the end, and with whom each mount shares.
"""
import ctypes
import errno
import json
import os
import random
import tempfile

BIND, MOVE, REC, DETACH = 4096, 8192, 16384, 2
KINDS = {"unbindable": 1 << 17, "private": 1 << 18, "slave": 1 << 19, "shared": 1 << 20}
DIRECTORIES = ("d1", "d2", "d1/d1", "d1/d2", "d2/d1", "d2/d2")
PATHS = ("/", "/d1", "/d2", "/d1/d1", "/d1/d2", "/d2/d1", "/d1/d1/d1", "/d2/d1/d1", "/d2/d2")
libc = ctypes.CDLL(None, use_errno=True)


def answer(result):
    return "ok" if result == 0 else errno.errorcode[ctypes.get_errno()]


def mount(source, target, kind, flags):
    return answer(libc.mount(source.encode(), target.encode(), kind, ctypes.c_ulong(flags), None))


def umount(target, flags):
    return answer(libc.umount2(target.encode(), flags))


def fill(base):
    for name in DIRECTORIES:
        path = f"{base}/{name}"
        if os.path.isdir(os.path.dirname(path)) and not os.path.exists(path):
            os.mkdir(path)


def mounts(base):
    found = []
    with open("/proc/self/mountinfo") as lines:
        for fields in (line.split() for line in lines):
            if fields[4] != base and not fields[4].startswith(base + "/"):
                continue
            end = fields.index("-")
            at = fields[4][len(base):] or "/"
            found.append((fields[0], fields[1], at, fields[end + 2], fields[3], fields[6:end]))
    by_id = {one[0]: one for one in found}

    def key(one):
        parent = by_id.get(one[1])
        return f"{one[2]}={one[3]}{one[4]}" + (f" on {parent[3]}" if parent else "")

    def group(number):
        return ",".join(sorted(key(one) for one in found if f"shared:{number}" in one[5]))

    def show(one):
        shared = "".join(f" shared{{{group(o[7:])}}}" for o in one[5] if o.startswith("shared:"))
        master = "".join(f" master{{{group(o[7:])}}}" for o in one[5] if o.startswith("master:"))
        return key(one) + shared + master + (" unbindable" if "unbindable" in one[5] else "")

    return sorted(show(one) for one in found), [one[2] for one in found]


def operate(rnd, base, number, first):
    name = rnd.choice(["mount", "mount", "bind", "bind", "rbind", "make", "make", "make", "umount", "detach", "move"])
    if first and rnd.random() < 0.6:
        name = "make"
    a, b = rnd.choice(PATHS), rnd.choice(PATHS)
    if name in ("make", "umount", "detach", "move") and rnd.random() < 0.8:
        a = rnd.choice(mounts(base)[1])
    if name != "make" and name not in ("bind", "rbind") and a == "/":
        a = "/d1"
    if b == "/":
        b = "/d2"
    if name == "mount":
        source = f"fs{number}"
        result = mount(source, base + a, b"tmpfs", 0)
        if result == "ok":
            fill(base + a)
        return [name, a, source], result
    if name in ("bind", "rbind"):
        return [name, a, b], mount(base + a, base + b, None, BIND | (REC if name == "rbind" else 0))
    if name == "move":
        return [name, a, b], mount(base + a, base + b, None, MOVE)
    if name == "make":
        kind, deep = rnd.choice(["shared", *KINDS]), rnd.random() < 0.3
        return [name, a, kind, deep], mount("none", base + a, None, KINDS[kind] | (REC if deep else 0))
    return [name, a], umount(base + a, DETACH if name == "detach" else 0)


def main():
    libc.unshare(0x20000)
    mount("none", "/", None, REC | KINDS["private"])
    base = tempfile.mkdtemp()
    for seed in range(150):
        rnd = random.Random(seed)
        mount("fs0", base, b"tmpfs", 0)
        fill(base)
        operations = [operate(rnd, base, i + 1, i == 0) for i in range(rnd.randint(6, 18))]
        print(json.dumps({"operations": operations, "mounts": mounts(base)[0]}, separators=(",", ":")))
        while umount(base, DETACH) == "ok":
            pass
    os.rmdir(base)


main()
