# A PostgreSQL server by TLS with passwords, as production has one. Arguments: the database, which its owner's role is
# named after; the folder with the configuration; the folder with the roles' passwords and the key.
set -eu
database=$1
conf=$2
secrets=$3
# A folder of its own: that of the tmpfs belongs to root.
export PGDATA="$PGDATA/server"

[ -s "$PGDATA/PG_VERSION" ] || initdb --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8

alone() {
    PG_GRANDPARENT_PID=$$ postgres --single -D "$PGDATA" -c log_min_messages=fatal "$1" >/dev/null
}
role() {
    echo "DO \$\$ BEGIN CREATE ROLE $1; EXCEPTION WHEN duplicate_object THEN NULL; END \$\$"
    echo "ALTER ROLE $1 LOGIN PASSWORD '$(cat "$secrets/$2")'"
}
{
    role "$database" app-password
    role monitoring monitoring-password
    echo "GRANT pg_monitor TO monitoring"
    echo "CREATE DATABASE $database OWNER $database"
} | alone postgres
echo "CREATE EXTENSION IF NOT EXISTS pg_stat_statements" | alone "$database"

exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp \
    -c shared_preload_libraries=pg_stat_statements -c shared_buffers=32MB -c hba_file="$conf/pg_hba.conf" \
    -c ssl=on -c ssl_cert_file="$conf/tls.pem" -c ssl_key_file="$secrets/tls.key"
