/** The script that the kernel starts in the initramfs of a guest. */

/**
 * `/init`: mounts what every program expects, then gives a shell on the console, or runs a command.
 *
 * It has two switches, both by the kernel's own means (Documentation/admin-guide/kernel-parameters.rst): `modules=a,b`
 * becomes a variable of its environment, and what follows ` -- ` its arguments. These are a command to run: then the
 * guest powers off, and a status other than 0 is written to the exit port (0xf4) first.
 */
export const initScript = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /tmp
for module in $(echo "$modules" | tr , ' '); do modprobe "$module"; done
# What the kernel does not know it passes on too, such as nokaslr: a command is only what comes behind --.
read -r line </proc/cmdline
before=" \${line%% -- *} "
[ "$before" != " $line " ] || set --
while [ $# -gt 0 ]; do
	case "$before" in *" $1 "*) shift ;; *) break ;; esac
done
cd /root
if [ $# -gt 0 ]; then
	setsid cttyhack "$@"
	status=$?
	[ $status = 0 ] || printf "\\\\$(printf %03o $status)" | dd of=/dev/port bs=1 seek=244 2>/dev/null
else
	read -r consoles </sys/class/tty/console/active
	echo "$(uname -sr) is up, with a shell on \${consoles##* }; exit powers off"
	setsid cttyhack sh
fi
poweroff -f
`
