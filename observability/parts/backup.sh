# Backs up the volumes of a stack with restic, and restores them.
# The first argument says what to do:
#   loop                  back up whenever it is due, until the container is stopped
#   now                   back up once
#   list                  print the snapshots in restic's JSON
#   health                whether the loop is alive
#   restore SNAPSHOT SERVICE:OWNER …   put the data of these services back
#   state SNAPSHOT FILE   write the archive of the data folder to a file
# Besides it are the files `plan` (shell variables), `volumes` (a line for each pattern: service, kind, pattern) and the
# secrets. Each volume is at /volumes/SERVICE. /stage is a volume of this container's own.
set -u
umask 077
here=$(dirname "$0")
. "$here/plan"

VOLUMES=${VOLUMES:-/volumes}
STAGE=${STAGE:-/stage}
METRICS=${METRICS:-/metrics}
RUN=${RUN:-/run}
ATTEMPTS=${ATTEMPTS:-5}
TAB=$(printf '\t')
export TMPDIR="$STAGE/tmp"
[ ! -f "$here/s3-credentials" ] || export AWS_SHARED_CREDENTIALS_FILE="$here/s3-credentials"

say() { echo "backup: $*"; }

repository() {
    if [ -f "$here/ssh-key" ]; then
        set -- -o "sftp.args=-i $here/ssh-key -o UserKnownHostsFile=$here/known-hosts -o StrictHostKeyChecking=yes -o BatchMode=yes" "$@"
    fi
    if [ -n "$REGION" ]; then set -- -o "s3.region=$REGION" "$@"; fi
    restic --repo "$REPOSITORY" --password-file "$here/password" --cache-dir "$STAGE/cache" "$@"
}

# Copies, one at a time, what a server changes while it runs.

patterns() { # kind: the lines `service pattern` of this kind
    while IFS="$TAB" read -r service kind pattern; do
        if [ "$kind" = "$1" ]; then echo "$service$TAB$pattern"; fi
    done <"$here/volumes"
}

names() { (cd "$(dirname "$1")" && find "$(basename "$1")" -type f | sort); }

# Segments of a log are removed only once others hold what is in them. So a copy is whole if every file that existed
# before still exists after.
copy_whole() { # source target
    attempt=0
    while [ "$attempt" -lt "$ATTEMPTS" ]; do
        attempt=$((attempt + 1))
        rm -rf "$2"
        names "$1" >"$RUN/before"
        if cp -R "$1" "$2" 2>"$RUN/error"; then
            names "$1" >"$RUN/after"
            if [ -z "$(grep -vxFf "$RUN/after" "$RUN/before")" ]; then return 0; fi
        fi
        sleep 1
    done
    say "$1 changed during each of $ATTEMPTS copies: $(cat "$RUN/error")"
    return 1
}

# An SQLite database is whole in its file and its log as long as no transaction is being written.
copy_database() { # source target
    attempt=0
    while [ "$attempt" -lt $((ATTEMPTS * 12)) ]; do
        attempt=$((attempt + 1))
        rm -f "$2" "$2-wal"
        if [ ! -e "$1-journal" ] && cp "$1" "$2" && { [ ! -e "$1-wal" ] || cp "$1-wal" "$2-wal"; }; then
            if [ ! -e "$1-journal" ] && cmp -s "$1" "$2" && { [ ! -e "$1-wal" ] || cmp -s "$1-wal" "$2-wal"; }; then
                return 0
            fi
        fi
        sleep 1
    done
    say "$1 was written to during each of $attempt copies"
    return 1
}

copy_all() { # kind function
    patterns "$1" >"$RUN/patterns"
    while IFS="$TAB" read -r service pattern; do
        for source in "$VOLUMES/$service"/$pattern; do
            [ -e "$source" ] || continue
            target="$STAGE/files/$service/${source#"$VOLUMES/$service/"}"
            mkdir -p "$(dirname "$target")"
            "$2" "$source" "$target" || return 1
        done
    done <"$RUN/patterns"
}

# What is copied is left out where the volumes are read, and so is what needs no backup.
excludes() {
    while IFS="$TAB" read -r service kind pattern; do
        echo "$VOLUMES/$service/$pattern"
        if [ "$kind" = database ]; then echo "$VOLUMES/$service/$pattern-*"; fi
    done <"$here/volumes"
}

number() { # name: a number of the JSON on standard input, 0 where it is missing
    found=$(sed -n "s/.*\"$1\":\([0-9][0-9]*\).*/\1/p" | tail -n 1)
    echo "${found:-0}"
}

# A file may be removed between the list of a folder and its turn, by compaction or retention: then all is done again.
snapshot() {
    round=0
    while [ "$round" -lt "$ATTEMPTS" ]; do
        round=$((round + 1))
        rm -rf "$STAGE/files"
        mkdir -p "$STAGE/files"
        copy_all copied copy_whole && copy_all database copy_database || return 1
        if [ -f "$STAGE/state/state.tar" ]; then cp "$STAGE/state/state.tar" "$STAGE/files/state.tar"; fi
        date +%s >"$STAGE/files/copied-at"
        excludes >"$RUN/excludes"
        repository backup --json --quiet --host "$STACK" --tag obs --exclude-file "$RUN/excludes" \
            "$VOLUMES" "$STAGE/files" >"$RUN/summary" 2>"$RUN/error"
        code=$?
        rm -rf "$STAGE/files"
        if [ "$code" -eq 0 ]; then return 0; fi
        sed 's/^/backup: /' "$RUN/error"
        if [ "$code" -ne 3 ]; then return 1; fi
        incomplete=$(sed -n 's/.*"snapshot_id":"\([0-9a-f]*\)".*/\1/p' "$RUN/summary" | tail -n 1)
        say "files changed while they were read; the snapshot $incomplete is not complete, so it is removed"
        if [ -n "$incomplete" ]; then repository forget --quiet "$incomplete" || return 1; fi
    done
    return 1
}

# One run. The steps print what they do; the return code is that of the first that fails.
steps() {
    mkdir -p "$STAGE/cache" "$TMPDIR"
    repository --quiet cat config >/dev/null 2>"$RUN/error"
    case $? in
        0) ;;
        10) say "creating the repository $REPOSITORY" && repository init --quiet || return 1 ;;
        *) sed 's/^/backup: /' "$RUN/error"; return 1 ;;
    esac
    repository unlock --quiet || return 1
    say "copying and storing"
    snapshot || return 1
    DATA=$(number total_bytes_processed <"$RUN/summary")
    ADDED=$(number data_added_packed <"$RUN/summary")
    say "removing what the retention does not keep"
    repository forget --quiet --host "$STACK" --tag obs --group-by host,tags \
        --keep-daily "$DAILY" --keep-weekly "$WEEKLY" --keep-monthly "$MONTHLY" --keep-last 1 --prune || return 1
    say "verifying the repository, and $SUBSET of its data"
    repository check --quiet --read-data-subset "$SUBSET" || return 1
    VERIFIED=$(date +%s)
    SIZE=$(repository stats --quiet --json --mode raw-data | number total_size)
    SNAPSHOTS=$(repository snapshots --quiet --json --host "$STACK" --tag obs | tr '{' '\n' | grep -c '"short_id"')
}

now() {
    if ! mkdir "$RUN/running" 2>/dev/null; then
        if kill -0 "$(cat "$RUN/running/pid" 2>/dev/null || echo x)" 2>/dev/null; then
            say "a backup is running already"
            return 75
        fi
    fi
    echo $$ >"$RUN/running/pid"
    trap 'rm -rf "$RUN/running" "$STAGE/files"' EXIT
    trap 'exit 143' TERM INT
    read_record
    begin=$(date +%s)
    steps
    code=$?
    LAST_RUN=$(date +%s)
    DURATION=$((LAST_RUN - begin))
    if [ "$code" -eq 0 ]; then
        LAST_SUCCESS=$LAST_RUN
        SLOT=$(((begin - AT) / EVERY))
        say "done in $DURATION s: $DATA bytes, $ADDED of them new; the repository has $SIZE bytes in $SNAPSHOTS snapshots"
    else
        say "failed after $DURATION s"
    fi
    write_record
    publish
    return "$code"
}

# The record is kept, and published as metrics for the textfile collector of the node exporter.

read_record() {
    LAST_RUN=0 LAST_SUCCESS=0 SLOT=-1 DURATION=0 DATA=0 ADDED=0 SIZE=0 SNAPSHOTS=0 VERIFIED=0
    if [ -f "$STAGE/record" ]; then . "$STAGE/record"; fi
}

write_record() {
    {
        for name in LAST_RUN LAST_SUCCESS SLOT DURATION DATA ADDED SIZE SNAPSHOTS VERIFIED; do
            eval "echo $name=\$$name"
        done
    } >"$STAGE/.record.new"
    mv "$STAGE/.record.new" "$STAGE/record"
}

gauge() { # name value help
    echo "# HELP obs_backup_$1 $3"
    echo "# TYPE obs_backup_$1 gauge"
    echo "obs_backup_$1{backup=\"$NAME\"} $2"
}

publish() {
    if [ ! -d "$METRICS" ] || [ "$LAST_RUN" -eq 0 ]; then return 0; fi
    {
        gauge last_run_timestamp_seconds "$LAST_RUN" "Time at which the last run ended."
        gauge last_success_timestamp_seconds "$LAST_SUCCESS" "Time at which the last successful run ended; 0: none."
        gauge interval_seconds "$EVERY" "Interval of the backup."
        gauge duration_seconds "$DURATION" "Duration of the last run."
        gauge data_bytes "$DATA" "Size of what the last snapshot has."
        gauge added_bytes "$ADDED" "Size of what the last snapshot added to the repository."
        gauge repository_bytes "$SIZE" "Size of the repository."
        gauge snapshots "$SNAPSHOTS" "Number of snapshots in the repository."
        gauge last_verified_timestamp_seconds "$VERIFIED" "Time of the last successful verification; 0: none."
    } >"$METRICS/.backup.new"
    chmod 644 "$METRICS/.backup.new"
    mv "$METRICS/.backup.new" "$METRICS/backup.prom"
}

# A run is due once in each interval; after a failure, again after RETRY seconds.
due() {
    read_record
    time=$(date +%s)
    if [ $(((time - AT) / EVERY)) -le "$SLOT" ]; then return 1; fi
    [ "$LAST_RUN" -le "$LAST_SUCCESS" ] || [ "$time" -ge $((LAST_RUN + RETRY)) ]
}

loop() {
    child=
    # To the whole group: a shell handles a signal only after its command, and restic must remove its lock.
    trap 'trap "" TERM; kill -TERM 0; wait; exit 0' TERM INT
    read_record
    publish
    while :; do
        : >"$RUN/alive"
        if [ -z "$child" ] && due; then
            sh "$0" now &
            child=$!
        elif [ -n "$child" ] && ! kill -0 "$child" 2>/dev/null; then
            wait "$child"
            child=
        fi
        sleep 5
    done
}

# Restores: first beside what is there, in the same volume; the switch follows once all of it is there.

fetch() { # snapshot service:owner …
    chosen=$1
    shift
    for one in "$@"; do
        service=${one%%:*}
        # Of a restore that was killed.
        undo "$VOLUMES/$service"
        beside="$VOLUMES/$service/.restored"
        mkdir -p "$beside"
        there=
        for part in "$VOLUMES" "$STAGE/files"; do
            if repository ls --quiet --json "$chosen" "$part/$service" | grep -q '"type":"'; then
                there=yes
                say "$service: reading $part/$service of the snapshot"
                repository restore --quiet "$chosen:$part/$service" --target "$beside" || return 1
            fi
        done
        if [ -z "$there" ]; then
            say "the snapshot $chosen has nothing of $service"
            return 1
        fi
        chown -R "${one#*:}" "$beside" || return 1
    done
}

restore() { # snapshot service:owner …
    mkdir -p "$TMPDIR"
    if ! fetch "$@"; then
        shift
        for one in "$@"; do rm -rf "$VOLUMES/${one%%:*}/.restored"; done
        say "nothing was changed"
        return 1
    fi
    shift
    done_services=
    for one in "$@"; do
        service=${one%%:*}
        if ! switch "$VOLUMES/$service"; then
            for back in $done_services "$service"; do undo "$VOLUMES/$back"; done
            say "nothing was changed"
            return 1
        fi
        done_services="$done_services $service"
    done
    for one in "$@"; do
        service=${one%%:*}
        # Docker gives a new volume to root.
        chown "${one#*:}" "$VOLUMES/$service"
        rm -rf "$VOLUMES/$service/.replaced" "$VOLUMES/$service/.restored"
    done
}

entries() { find "$1" -mindepth 1 -maxdepth 1 ! -name .restored ! -name .replaced ! -name .all; }

# `.replaced` has what was there; its file `.all` says that all of it is, so that the rest is from the snapshot.
switch() { # volume
    mkdir "$1/.replaced" || return 1
    entries "$1" >"$RUN/entries"
    while read -r path; do mv "$path" "$1/.replaced/" || return 1; done <"$RUN/entries"
    : >"$1/.replaced/.all"
    entries "$1/.restored" >"$RUN/entries"
    while read -r path; do mv "$path" "$1/" || return 1; done <"$RUN/entries"
}

undo() { # volume
    if [ -d "$1/.replaced" ]; then
        if [ -e "$1/.replaced/.all" ]; then
            entries "$1" >"$RUN/entries"
            while read -r path; do rm -rf "$path"; done <"$RUN/entries"
        fi
        entries "$1/.replaced" >"$RUN/entries"
        while read -r path; do mv "$path" "$1/"; done <"$RUN/entries"
    fi
    rm -rf "$1/.replaced" "$1/.restored"
}

if [ $# -eq 0 ]; then echo "say what to do: loop, now, list, health, restore" >&2; exit 2; fi
command=$1
shift
case $command in
    loop) loop ;;
    now) now ;;
    list) repository snapshots --quiet --json --host "$STACK" --tag obs ;;
    health) [ -n "$(find "$RUN/alive" -mmin -2 2>/dev/null)" ] ;;
    restore) restore "$@" ;;
    state) repository dump --quiet --target "$2" "$1" "$STAGE/files/state.tar" ;;
    *) echo "$command is not known" >&2; exit 2 ;;
esac
