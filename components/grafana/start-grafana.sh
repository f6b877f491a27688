# Starts Grafana; argument: the file with the administrator's password.
# Grafana itself reads that file only while its database is new. The database may be older than the file, where the
# secret was changed or the data folder of `obs` lost, so from then on the password is set anew at each start.
password=$1
if [ -s "$GF_PATHS_DATA/grafana.db" ]; then
    grafana cli --homepath "$GF_PATHS_HOME" --config "$GF_PATHS_CONFIG" \
        admin reset-admin-password --password-from-stdin <"$password" >/dev/null 2>&1 ||
        echo "the administrator's password could not be set; the one before counts"
fi
exec /run.sh
