# Starts mongodb_exporter, which takes passwords from its command line or its environment alone. The environment is
# made here, inside the container, so that Docker knows nothing of them.
# Arguments: the file with the servers' connection strings, then the exporter's own.
read -r MONGODB_URI <"$1"
export MONGODB_URI
shift
exec /mongodb_exporter "$@"
