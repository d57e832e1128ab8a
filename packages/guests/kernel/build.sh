#!/bin/sh
# Builds the kernel with 32-bit paging, teaching.elf, and with PAE, teaching-pae.elf: build.sh [FOLDER], ../images
# unless stated. Byte for byte the same with gcc 12.2 and binutils 2.40 (Debian 12). SYMBOLS=1 keeps their symbols.
set -e
export LC_ALL=C # the order of files
cd "$(dirname "$0")"
images=${1:-../images}
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

flags='-m32 -march=i686 -O2 -std=gnu11 -ffreestanding -nostdlib -mgeneral-regs-only -mpreferred-stack-boundary=2
  -fno-pic -fno-pie -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing
  -fno-tree-loop-distribute-patterns -fno-delete-null-pointer-checks -Wall -Wextra -Wframe-larger-than=1024'

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
