# Starts GoAlert's PostgreSQL. Argument: the folder with postgresql.conf, pg_hba.conf and the role's password.
# The data folder is made once; role and database are brought into line at every start, alone, before anybody connects.
set -eu
conf=$1

[ -s "$PGDATA/PG_VERSION" ] || initdb --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8

# One statement a line; each may find its work done. A server that was killed leaves a lock in the name of process 1,
# which is now this shell: the variable tells it apart.
PG_GRANDPARENT_PID=$$ postgres --single -D "$PGDATA" -c log_min_messages=fatal postgres >/dev/null <<SQL
DO \$\$ BEGIN CREATE ROLE goalert; EXCEPTION WHEN duplicate_object THEN NULL; END \$\$
ALTER ROLE goalert LOGIN PASSWORD '$(sed "s/'/''/g" "$conf/database-password")'
CREATE DATABASE goalert OWNER goalert
SQL

exec postgres -D "$PGDATA" -c "config_file=$conf/postgresql.conf" -c "hba_file=$conf/pg_hba.conf" \
    -c "ident_file=$PGDATA/pg_ident.conf"
