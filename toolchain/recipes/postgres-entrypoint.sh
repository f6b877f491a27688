#!/usr/bin/env bash
# Starts PostgreSQL as its own user. An empty data folder is first made a cluster with POSTGRES_USER, POSTGRES_PASSWORD
# and POSTGRES_DB (each also as the file that the variable with _FILE names), and given /docker-entrypoint-initdb.d.
set -euo pipefail

# Value of a variable, or of the file that the one with _FILE names; else the default.
setting() {
    local file="${1}_FILE"
    if [[ -n "${!1:-}" && -n "${!file:-}" ]]; then
        echo "$1 and $file are both set; unset one" >&2
        return 1
    fi
    if [[ -n "${!file:-}" ]]; then
        cat "${!file}"
    else
        echo "${!1:-${2:-}}"
    fi
}

make_cluster() {
    local user password database method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    user=$(setting POSTGRES_USER postgres)
    password=$(setting POSTGRES_PASSWORD)
    database=$(setting POSTGRES_DB "$user")
    if [[ -z $password && $method != trust ]]; then
        echo "the data folder is empty and there is no password: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE" >&2
        return 1
    fi
    # shellcheck disable=SC2086 - the arguments are words
    initdb --username="$user" --pwfile=<(printf '%s\n' "$password") ${POSTGRES_INITDB_ARGS:-}
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
    # Until all is there, nobody but us may connect.
    pg_ctl --silent --wait --options="-c listen_addresses=''" start
    local psql=(psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$user")
    if [[ $database != postgres ]]; then
        "${psql[@]}" --dbname=postgres --set=name="$database" <<<'CREATE DATABASE :"name";'
    fi
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) POSTGRES_USER=$user POSTGRES_DB=$database bash "$file" ;;
            *.sql) "${psql[@]}" --dbname="$database" --file="$file" ;;
            *.sql.gz) gunzip --stdout "$file" | "${psql[@]}" --dbname="$database" ;;
        esac
    done
    pg_ctl --silent --wait --mode=fast stop
}

[[ ${1:-} == -* ]] && set -- postgres "$@"
if [[ ${1:-} == postgres ]]; then
    if [[ $(id -u) == 0 ]]; then
        install -d -o postgres -g postgres -m 700 "$PGDATA"
        chown -R postgres:postgres "$PGDATA"
        exec setpriv --reuid=postgres --regid=postgres --clear-groups "${BASH_SOURCE[0]}" "$@"
    fi
    install -d -m 700 "$PGDATA" 2>/dev/null || true
    if [[ ! -s $PGDATA/PG_VERSION ]]; then
        make_cluster
    fi
fi
exec "$@"
