# coreutils and what belongs to them: files, links, text, numbers, processes.
cd /tmp && mkdir -p w/d/e && cd w && echo hello > d/a
cp -a d d2; ln -s a d/l; ln d/a d/h; stat -c '%n %s %h %F' d/*; ls -lR --time-style=+ d | sed 's/  */ /g'
find d -type f -name 'a*' -printf '%p %m\n'
tar cf t.tar d; tar tvf t.tar | awk '{ print $1, $2, $3, $6 }'; gzip -k t.tar; zcat t.tar.gz | tar xOf - d/a
seq 1000 | sha256sum; seq 1000 | md5sum; seq 1000 | cksum
seq 100000 | split -l 20000 - x; wc -l xa?; sort -n -r xaa | head -n 3; tac xaa | head -n 1; rm x*
cut -d: -f1 /etc/passwd | head -n 3
dd if=/dev/zero of=z bs=1k count=100 2>&1 | head -n 2; truncate -s 1M s; du -k s z
cmp z <(head -c 102400 /dev/zero) && echo same
date -u -d @0; expr 3 + 4; factor 123456789; base64 /etc/hostname; od -c /etc/hostname
id; whoami; uname -s; env -i A=1 env; timeout 0.1 sleep 5; echo $?
touch -d 2020-01-01 f; date -r f +%Y; chmod 640 f; chown daemon f; stat -c '%U %a' f; readlink -f /bin/sh
(sleep 0.2; echo more >> log) & touch log; timeout 1 tail -f log
shuf -i 1-10 | sort -n | head -n 1; numfmt --to=iec 123456; tty; test -t 0; echo $?
mkfifo p; echo through > p & cat p; install -D -m 700 f q/w/f; ls -ld q/w | cut -c1-10
comm -12 <(seq 5) <(seq 3 8); join <(echo a 1) <(echo a 2); nl /etc/hostname; fold -w 3 /etc/hostname
csplit -s /etc/passwd /daemon/; wc -l xx00; tee o1 o2 < /etc/hostname; cat o2; printf '%d\n' 0x10
grep -c root /etc/passwd; sed -n 's/root/X/gp' /etc/passwd; xargs -n1 -P4 echo < /etc/hostname
mawk 'BEGIN { printf "%.3f\n", atan2(0, -1) }'; cat /proc/self/comm; grep -E '^(Name|Threads|Uid)' /proc/self/status
flock f echo locked; setsid echo session; script -qc 'echo in script; tty' /dev/null | sed 's/[0-9]/N/'
nice -n 5 nice; getopt -o ab: -- -a -b c; rev /etc/hostname; od -An -tx1 /etc/hostname; more /etc/hostname
mountpoint /proc; df --output=target /proc; ionice; ps -o comm= -p $$
