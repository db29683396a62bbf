#!/usr/bin/env bash
# The reports of one night, a background job for each of ten regions, all in one file: night.sh LOG NIGHT
# They are numbered through: night 2 begins with report 11.
# VARIANT names the function below by which a job adds its record. README.md draws the races.
set -euo pipefail
cd "$(dirname "$0")"
log=$1 night=$2

bare() {
    bash record.sh "$@" >>"$log"
}

# Descriptor 8 was opened by the parent: to the kernel all jobs are one holder of the lock.
shared-lock() {
    flock -x 8
    bash record.sh "$@" >>"$log"
    flock -u 8
}

# Locks the report itself, but `>` empties it on opening, before anybody asks for the lock.
truncating() (
    flock -x 200
    bash record.sh "$@" >&200
) 200>"$log"

# Nobody sees half a report, but each job brings back the report as it was when it began.
copy-and-rename() {
    local new=$log.$1
    cp "$log" "$new"
    bash record.sh "$@" >>"$new"
    mv "$new" "$log"
}

own-descriptor() (
    flock -x 200
    bash record.sh "$@" >>"$log"
) 200>"$log.lock"

by-command() {
    flock -x "$log.lock" bash record.sh "$@" >>"$log"
}

# A record gets its name when it is whole; `publish` makes the report of all that have one.
rename() {
    bash record.sh "$@" >"$log.d/.$1"
    mv "$log.d/.$1" "$log.d/$1"
}

# Looks again once the report is out, so whoever wrote it last has seen every record.
publish() {
    local new=$log.$night seen=
    until [[ $seen == "$(ls "$log.d")" ]]; do
        seen=$(ls "$log.d")
        cat "$log.d"/* >"$new"
        mv "$new" "$log"
    done
}

case $VARIANT in
    shared-lock) exec 8>"$log.lock" ;;
    copy-and-rename) touch "$log" ;;
    rename) mkdir -p "$log.d" ;;
esac

jobs=()
number=$((10 * (night - 1)))
while read -r region; do
    number=$((number + 1))
    "$VARIANT" "$number" "$region" &
    jobs+=($!)
done <regions.txt

failed=0
for job in "${jobs[@]}"; do
    wait "$job" || failed=1
done
if [[ $VARIANT == rename ]]; then
    publish
fi
exit "$failed"
