# Entry point of the demo's PostgreSQL: makes the data folder once, brings roles and database into line at every start.
# Arguments: the folder with postgresql.conf and pg_hba.conf, and the folder with the roles' passwords.
set -eu
conf=$1
secrets=$2

[ -s "$PGDATA/PG_VERSION" ] || initdb --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8

# One statement a line; each may find its work done. Nothing can connect to a server in single-user mode.
# A server that was killed leaves a lock in the name of process 1, which is now this shell: the variable tells it apart.
alone() {
    PG_GRANDPARENT_PID=$$ postgres --single -D "$PGDATA" -c log_min_messages=fatal "$1" >/dev/null
}
role() {
    echo "DO \$\$ BEGIN CREATE ROLE $1; EXCEPTION WHEN duplicate_object THEN NULL; END \$\$"
    echo "ALTER ROLE $1 LOGIN PASSWORD '$(sed "s/'/''/g" "$secrets/$2")'"
}
{
    role social_selling app-password
    role monitoring monitoring-password
    echo "GRANT pg_monitor TO monitoring"
    echo "CREATE DATABASE social_selling OWNER social_selling"
} | alone postgres
echo "CREATE EXTENSION IF NOT EXISTS pg_stat_statements" | alone social_selling

exec postgres -D "$PGDATA" -c "config_file=$conf/postgresql.conf" -c "hba_file=$conf/pg_hba.conf" \
    -c "ident_file=$PGDATA/pg_ident.conf"
