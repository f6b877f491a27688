#!/bin/sh
# Sends the alerts that only a silenced alert mutes, once: to the Alertmanager whose address is the first argument.
folder=$(dirname "$0")
now=$(date +%s)
# Sent again every ten seconds, they last until three rounds have failed.
later=$(date -u -d "@$((now + 35))" +%Y-%m-%dT%H:%M:%SZ)
# Not wget's own -T, which crashes in BusyBox 1.35.
timeout 5 wget -q -O - "$1/api/v2/alerts" |
    awk -v now="$(date -u -d "@$now" +%Y-%m-%dT%H:%M:%SZ)" -v later="$later" -f "$folder/unmute.awk" |
    while IFS= read -r body; do
        timeout 5 wget -q -O /dev/null --header 'Content-Type: application/json' --post-data "$body" "$1/api/v2/alerts"
    done
