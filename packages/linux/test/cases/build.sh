#!/bin/sh
# Builds the programs beside it into the folder given: build.sh FOLDER [NAME…], all without a NAME.
# Byte for byte the same with Debian 12's gcc 12.2 and binutils 2.40; the libraries of gcc-multilib are not needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- $(cd "$here" && ls ./*.c | sed 's|.*/||; s|\.c$||')
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
for name; do
  gcc -m32 -march=i686 -std=gnu11 -Os -Wall -Wextra -Wno-unused-function -Wno-array-bounds -Werror -ffreestanding -nostdlib -fno-pic -fno-pie \
    -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
    -fno-ident -ffile-prefix-map="$here"=. -c "$here/$name.c" -o "$objects/$name.o"
  ld -m elf_i386 -static -s --build-id=none -z noseparate-code -z max-page-size=4096 -z norelro -z noexecstack \
    -o "$out/$name" "$objects/$name.o"
done
