# bash: pipes, jobs, traps, substitutions, coprocesses.
set -m
echo a b c | tr ' ' '\n' | sort -r | paste -sd,
(sleep 0.1; echo background) & jobs | sed 's/  */ /g'
wait; echo "$?"
echo $(printf '%s\n' {1..100} | awk '{ s += $1 } END { print s }')
trap 'echo trapped' USR1; kill -USR1 $$
cat <<< "here"
diff <(seq 3) <(seq 4)
[[ abc =~ ^a(.)c$ ]] && echo "${BASH_REMATCH[1]}"
shopt -q login_shell && echo login
mapfile -t names < <(ls /usr); echo "${#names[@]}"
coproc cat; echo hi >&"${COPROC[1]}"; read -r -u "${COPROC[0]}" line; echo "$line"; kill %%; wait 2>/dev/null
false | true; echo "${PIPESTATUS[@]}"
umask; type ls; echo $((2**40 / 3)); printf '%(%Y)T\n' 0
exec 3<>/tmp/f; echo q >&3; cat /tmp/f
read -r -t 0.1 line < <(sleep 1); echo $?
set +m; for code in 1 2 3; do (exit $code) & wait $!; echo $?; done
(sleep 5 & kill -STOP $!; kill -KILL $!; wait $!; echo $?) 2>/dev/null
ulimit -c; kill -l | head -2
yes | head -n 3; echo "${PIPESTATUS[@]}"
cd /usr/share && pwd && cd - >/dev/null && pwd
