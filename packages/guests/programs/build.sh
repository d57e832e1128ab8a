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
cd "$objects"
compile() {
  gcc -m32 -march=i686 -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -fno-pic -fno-pie \
    -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-math-errno \
    -fno-tree-loop-distribute-patterns -ffunction-sections -fno-ident -ffile-prefix-map="$here"=. -c "$here/$1" -o "$2"
}
for source in start.S text.c program.c faults.c; do compile "lib/$source" "$source.o"; done
for name; do
  compile "$name.c" program.o
  ld -m elf_i386 -static -s --gc-sections --build-id=none -z noseparate-code -z max-page-size=4096 -z norelro \
    -z noexecstack -o "$out/$name" start.S.o program.o text.c.o program.c.o faults.c.o
done
