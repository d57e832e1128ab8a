# strace follows programs by ptrace(2). What differs in every run (numbers of processes, addresses) is masked.
cd /tmp
dpkg -i /root/strace.deb >/dev/null
mask() { sed -E 's/\[pid +[0-9]+\]/[pid N]/; s/0x[0-9a-f]{6,8}/0xADDRESS/g; s/(pid=|kill\()[0-9]+/\1N/g; s/\) +=/) =/' "$@"; }
printf 'alpha\nbeta\n' >words
echo 'calls of a program'
strace -qq -e trace=execve,openat,read,write,exit_group -o log cat words
grep -v -e /etc/ld.so -e ELF log | mask
echo 'children, by their own files'
strace -qq -ff -e trace=execve,dup2,exit_group -o each sh -c '/bin/echo one | cat >two; exit 3'
echo "status $?"
cat each.* | grep -v '^execve("/usr/[ls]' | mask | sort
echo 'signals'
strace -qq -e trace=kill,wait4 -o log sh -c 'trap "echo caught" USR1; kill -USR1 $$; kill -TERM $$'
echo "status $?"
mask log
echo 'a filter in the program traced'
strace -qq -f --seccomp-bpf -e trace=mkdir,rmdir -o log sh -c 'mkdir made; rmdir made; rmdir made'
mask log | sed -E 's/^[0-9]+ +//'
echo 'faults that are injected'
strace -qq -e trace=openat -e inject=openat:error=ENOSPC:when=3+ -o log cat words
echo "status $?"
tail -n 3 log
echo 'results that are injected'
strace -qq -e trace=geteuid32 -e inject=geteuid32:retval=77 -o log id -u
mask log
echo 'one that runs already'
sh -c 'while [ ! -e go ]; do sleep 0.01; done; exec /bin/echo went' &
traced=$!
strace -qq -e trace=execve -o log -p $traced &
while grep -q 'TracerPid:.0' /proc/$traced/status; do sleep 0.01; done
touch go
wait
grep echo log | mask | sed 's/\/\* .*\*\//ENV/'
echo 'counts'
strace -c -o log cat words
awk '$NF ~ /^(write|read|execve|close)$/ { print $4, $NF }' log | sort
