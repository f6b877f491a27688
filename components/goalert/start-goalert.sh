# Starts GoAlert, or runs one of its commands. Arguments: the folder with its secrets, then those of GoAlert.
# GoAlert takes settings from its environment and its command line alone. The password and the key come into that of
# its own process here, so neither is seen in the container's configuration.
set -eu
conf=$1
shift
PGPASSWORD=$(cat "$conf/database-password")
GOALERT_DATA_ENCRYPTION_KEY=$(cat "$conf/encryption-key")
export PGPASSWORD GOALERT_DATA_ENCRYPTION_KEY
exec goalert "$@"
