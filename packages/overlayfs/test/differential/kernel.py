#!/usr/bin/env python3
"""Executes sequences of operations on the kernel's own overlayfs, or tmpfs, as root.

Reads a JSON line per sequence (see operations.ts) and answers one: the result of each operation, and what the merged
tree and the upper layer hold in the end. Run it in a mount namespace of its own: `unshare -m python3 kernel.py`.
"""
import ctypes
import errno
import json
import os
import stat
import sys
import tempfile

libc = ctypes.CDLL(None, use_errno=True)
BASE = tempfile.mkdtemp(prefix='overlay-').encode()
AT_FDCWD, AT_EMPTY_PATH = -100, 0x1000
MS_NOATIME = 1024


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), '')


def mount(source, target, kind, options, flags=MS_NOATIME):
    check(libc.mount(source, target, kind, ctypes.c_ulong(flags), options))


def umount(target):
    check(libc.umount2(target, 0))


def raw(text):
    return text.encode('latin1')


def text(data):
    return data.decode('latin1')


def at(path):
    return b'./' + raw(path)


def when(ns):
    """A time that a test has set, which lies before 2001; or `now`."""
    return [ns // 10**9, ns % 10**9] if ns < 10**18 else 'now'


def record(info):
    size = -1 if stat.S_ISDIR(info.st_mode) else info.st_size
    return [info.st_mode, info.st_nlink, info.st_uid, info.st_gid, size, info.st_rdev, when(info.st_atime_ns), when(info.st_mtime_ns)]


def with_file(path, flags, act):
    fd = os.open(path, flags)
    try:
        return act(fd)
    finally:
        os.close(fd)


def read_all(fd):
    data = b''
    while part := os.read(fd, 1 << 16):
        data += part
    return text(data)


def listed(path):
    """The names in a directory. Linux lists whiteouts in directories that are not merged, and then does not find them."""
    return sorted(name for name in os.listdir(path) if failure(path + b'/' + name) != errno.ENOENT)


def failure(path):
    try:
        os.lstat(path)
        return 0
    except OSError as error:
        return error.errno


def seek(fd, offset, whence):
    return os.lseek(fd, offset, whence)


def fallocate(fd, mode, offset, length):
    check(libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(length)))


class Sequence:
    def __init__(self):
        self.slots = {}

    def do(self, name, *args):
        return getattr(self, name)(*args)

    def mkdir(self, path, mode): os.mkdir(at(path), mode)
    def mknod(self, path, mode, rdev): os.mknod(at(path), mode, rdev)
    def symlink(self, target, path): os.symlink(raw(target), at(path))
    def link(self, old, new): os.link(at(old), at(new), follow_symlinks=False)
    def unlink(self, path): os.unlink(at(path))
    def rmdir(self, path): os.rmdir(at(path))
    def rename(self, old, new, flags): check(libc.renameat2(AT_FDCWD, at(old), AT_FDCWD, at(new), flags))
    def chmod(self, path, mode): os.chmod(at(path), mode)
    def chown(self, path, uid, gid): os.lchown(at(path), uid, gid)
    def utimens(self, path, atime, mtime): os.utime(at(path), ns=(atime, mtime), follow_symlinks=False)
    def truncate(self, path, size): os.truncate(at(path), size)
    def readlink(self, path): return text(os.readlink(at(path)))
    def stat(self, path): return record(os.lstat(at(path)))
    def setxattr(self, path, name, value, flags): os.setxattr(at(path), name, raw(value), flags, follow_symlinks=False)
    def getxattr(self, path, name): return text(os.getxattr(at(path), name, follow_symlinks=False))
    def listxattr(self, path): return sorted(os.listxattr(at(path), follow_symlinks=False))
    def removexattr(self, path, name): os.removexattr(at(path), name, follow_symlinks=False)
    def readdir(self, path): return [text(name) for name in listed(at(path))]

    def write(self, path, flags, data, offset):
        return with_file(at(path), os.O_WRONLY | os.O_NONBLOCK | flags, lambda fd: os.pwrite(fd, raw(data), offset))

    def read(self, path): return with_file(at(path), os.O_RDONLY | os.O_NONBLOCK, read_all)

    def open(self, slot, path, flags, mode):
        self.close(slot)
        self.slots[slot] = os.open(at(path), flags | os.O_NONBLOCK, mode)

    def tmpfile(self, slot, path, mode):
        self.close(slot)
        self.slots[slot] = os.open(at(path), os.O_TMPFILE | os.O_RDWR, mode)

    def close(self, slot):
        if slot in self.slots:
            os.close(self.slots.pop(slot))

    def fd(self, slot):
        return self.slots.get(slot, -1)

    def fwrite(self, slot, data, offset): return os.pwrite(self.fd(slot), raw(data), offset)
    def fread(self, slot, length, offset): return text(os.pread(self.fd(slot), length, offset))
    def ftruncate(self, slot, size): os.ftruncate(self.fd(slot), size)
    def fstat(self, slot): return record(os.fstat(self.fd(slot)))
    def flink(self, slot, path): check(libc.linkat(self.fd(slot), b'', AT_FDCWD, at(path), AT_EMPTY_PATH))
    def lseek(self, slot, offset, whence): return seek(self.fd(slot), offset, whence)
    def fallocate(self, slot, mode, offset, length): fallocate(self.fd(slot), mode, offset, length)

    def run(self, operation):
        try:
            return [0, self.do(*operation)]
        except OSError as error:
            return [error.errno]


def tree(root):
    """Every name below a directory with all that is known of it; link groups are numbered as they are met."""
    found, inodes = {}, {}

    def visit(path, name):
        if failure(path):
            found[text(name)] = [failure(path)]
            return
        info = os.lstat(path)
        group = inodes.setdefault(info.st_ino, len(inodes))
        entry = record(info) + [group]
        entry.append({key: text(os.getxattr(path, key, follow_symlinks=False)) for key in os.listxattr(path, follow_symlinks=False)})
        if stat.S_ISLNK(info.st_mode):
            entry.append(text(os.readlink(path)))
        elif stat.S_ISREG(info.st_mode):
            entry.append(with_file(path, os.O_RDONLY, read_all))
        found[text(name)] = entry
        if stat.S_ISDIR(info.st_mode):
            for child in listed(path):
                visit(path + b'/' + child, name + b'/' + child if name else child)

    visit(root, b'')
    return found


def mount_overlay(sequence, index, upper):
    lower = ':'.join('l%d' % (i + 1) for i in range(index, len(sequence['lower'])))
    # The index would hold links of its own to files of what becomes a lower layer.
    chosen = [option for option in sequence['options'] if upper == 'u' or option != 'index=on']
    options = 'lowerdir=%s,upperdir=%s,workdir=w%d%s' % (lower, upper, index, ''.join(',' + o for o in chosen))
    mount(b'overlay', b'm', b'overlay', options.encode())


def do_all(operations):
    sequence = Sequence()
    results = [sequence.run(operation) for operation in operations]
    for slot in list(sequence.slots):
        sequence.close(slot)
    return results


def run(sequence):
    mount(b'tmpfs', BASE, b'tmpfs', sequence.get('tmpfs', 'size=64m').encode())
    try:
        os.chdir(BASE)
        count = len(sequence['lower'])
        for name in ['m', 'u', 'w0'] + ['%s%d' % (kind, i + 1) for kind in 'lw' for i in range(count)]:
            os.mkdir(name)
        results = [None] * count
        for index in reversed(range(count)):
            os.chdir(BASE)
            layer = sequence['lower'][index]
            if layer['mounted']:
                mount_overlay(sequence, index + 1, 'l%d' % (index + 1))
            os.chdir('m' if layer['mounted'] else 'l%d' % (index + 1))
            results[index] = do_all(layer['operations'])
            if layer['mounted']:
                os.chdir(BASE)
                umount(b'm')
        os.chdir(BASE)
        if count:
            mount_overlay(sequence, 0, 'u')
        os.chdir(BASE + b'/m')
        results.append(do_all(sequence['operations']))
        merged = tree(b'.')
        os.chdir(BASE)
        upper = None
        if sequence['lower']:
            umount(b'm')
            upper = tree(b'u')
        return {'results': results, 'tree': merged, 'upper': upper}
    finally:
        os.chdir('/')
        libc.umount2(BASE + b'/m', 2)
        umount(BASE)


os.umask(0o022)
# Nothing that is mounted here is to be seen outside.
mount(None, b'/', None, None, 0x44000)
try:
    if sys.argv[1:] == ['--version']:
        run({'lower': [{'mounted': False, 'operations': []}], 'options': [], 'operations': []})
        print(os.uname().release.split('-')[0])
    else:
        for line in sys.stdin:
            print(json.dumps(run(json.loads(line))), flush=True)
finally:
    os.rmdir(BASE)
