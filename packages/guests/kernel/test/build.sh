#!/bin/sh
# Builds the test programs: build.sh FOLDER. Static ELF files for i386 without a C library.
set -e
cd "$(dirname "$0")"
mkdir -p "$1"
for source in *.c; do
  name=${source%.c}
  [ "$name" = runtime ] && continue
  gcc -m32 -march=i686 -O2 -std=gnu11 -ffreestanding -nostdlib -static -fno-pic -fno-pie -no-pie -fno-stack-protector \
    -fcf-protection=none -fno-asynchronous-unwind-tables -fno-builtin -Wall -Wextra -Wno-unused-value \
    -Wl,--build-id=none,-z,noexecstack,-z,norelro -o "$1/$name" start.S runtime.c ../string.c "$source"
  strip "$1/$name"
done
