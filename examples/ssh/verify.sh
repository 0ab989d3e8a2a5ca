#!/usr/bin/env bash
# bash verify.sh CLASS VERIFIED HOST...: each host does its shard of the class. All hosts see both folders by the same
# paths (a shared home), and ssh asks nobody for a password. OPTIONS="--tier fast" gives every host further options.
# Give the same command again for what was broken off.
set -uo pipefail
[ $# -ge 3 ] || { echo "bash verify.sh CLASS VERIFIED HOST..." >&2; exit 2; }
class=$(realpath "$1") verified=$(realpath -m "$2")
shift 2
mkdir -p "$verified/logs"
hosts=("$@") jobs=()
for number in "${!hosts[@]}"; do
    log="$verified/logs/${hosts[number]}"
    echo "${hosts[number]}: shard $((number + 1))/$#, its words are in $log" >&2
    ssh -n "${hosts[number]}" \
        "${TITO:-tito} olympics verify ${class@Q} -o ${verified@Q} --shard $((number + 1))/$# ${OPTIONS:-}" >"$log" 2>&1 &
    jobs+=($!)
done
for number in "${!hosts[@]}"; do
    wait "${jobs[number]}" || echo "${hosts[number]}: ended with $? (1: an entry does not repeat); see its log" >&2
done
"${TITO:-tito}" olympics verify --merge -o "$verified"
