#!/bin/sh
# Build one image: build.sh NAME OUT.bin. Byte for byte the same with gcc 12.2 and binutils 2.40 (Debian 12).
set -e
cd "$(dirname "$0")"
object=$(mktemp)
trap 'rm -f "$object"' EXIT
gcc -m32 -march=i386 -Os -ffreestanding -nostdlib -fno-pic -fno-pie -no-pie -static -fno-stack-protector \
  -fno-delete-null-pointer-checks -fno-asynchronous-unwind-tables -mgeneral-regs-only -fno-toplevel-reorder \
  --param=max-completely-peel-times=0 --param=max-completely-peeled-insns=0 -Wall -Wextra \
  -Wl,-T,image.ld -Wl,--build-id=none -Wl,-N,--no-warn-rwx-segments -o "$object" start.S runtime.c "$1.c"
objcopy -O binary "$object" "$2"
