#!/bin/sh
# Builds bench.rom from the sources beside it, into the folder given (default: here).
# The committed image is built with Debian 12's gcc 12.2; the libraries of gcc-multilib are not needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "${1:-$here}" && pwd)
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
cd "$objects"
for source in start.S bench.c; do
    gcc -m32 -march=i686 -mgeneral-regs-only -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -fno-pic -fno-pie \
        -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
        -fno-ident -ffile-prefix-map="$here"=. -c "$here/$source"
done
ld -m elf_i386 -T "$here/link.ld" --build-id=none --no-warn-rwx-segments -z noexecstack -o bench.elf start.o bench.o
objcopy -O binary -j .rom -j .kernels -j .reset bench.elf "$out/bench.rom"
chmod 644 "$out/bench.rom"
