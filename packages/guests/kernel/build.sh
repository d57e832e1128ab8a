#!/bin/sh
# Builds the kernel with 32-bit paging, teaching.elf, and with PAE, teaching-pae.elf: build.sh [FOLDER], ../images unless
# stated. Byte for byte the same with gcc 12.2 and binutils 2.40 (Debian 12). With SYMBOLS=1 they keep their symbols.
set -e
cd "$(dirname "$0")"
images=${1:-../images}
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

flags='-m32 -march=i686 -O2 -std=gnu11 -ffreestanding -nostdlib -fno-pic -fno-pie -fno-stack-protector -fcf-protection=none
  -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -fno-delete-null-pointer-checks -fno-strict-aliasing
  -mgeneral-regs-only -mpreferred-stack-boundary=2 -Wall -Wextra -Wframe-larger-than=1024'

# build FORMAT NAME
build() {
  rm -f "$objects"/*
  for source in *.c machine/*.c machine/*.S; do
    gcc $flags $1 -c "$source" -o "$objects/$(basename "$source" | tr . _).o"
  done
  gcc -m32 -nostdlib -static -no-pie -Wl,-T,image.ld -Wl,--build-id=none,--no-warn-rwx-segments,-z,noexecstack \
    -o "$objects/kernel.elf" "$objects"/*.o
  [ -n "$SYMBOLS" ] || strip "$objects/kernel.elf"
  mv "$objects/kernel.elf" "$images/$2"
}

mkdir -p "$images"
build '' teaching.elf
build -DPAE teaching-pae.elf
