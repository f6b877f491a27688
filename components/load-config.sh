# Runs once, in a container of the server's own image, whenever a server's configuration changes.
# Arguments: the configuration volume's folder, the command that checks the files, and the address that reloads them
# where there is one.
# The files lie in /staging. A release is a folder of its own; `current` is a link that moves at once or not at all.
set -eu
umask 077
folder=$1 check=$2 reload=${3:-}
cd "$folder"
release="release-$(hostname)"
previous=$(readlink current || true)

cp -R /staging "$release"
if ! (cd "$release" && sh -c "$check"); then
    rm -rf "$release"
    exit 1
fi

point_to() {
    rm -f next
    ln -s "$1" next
    mv -T next current
}

# A server that is not running yet, or is just restarting, reads the new files as it starts.
reload() {
    [ -n "$reload" ] || return 0
    # Prometheus waits for up to a minute for a remote write that is removed, if its receiver does not answer.
    answer=$(timeout 150 wget -q -O /dev/null --post-data= "$reload" 2>&1) && return 0
    case $answer in
        *"bad address"* | *refused* | *unreachable*) echo "not running: the files are read as it starts" ;;
        *) echo "the running server refused the files: $answer"; return 1 ;;
    esac
}

point_to "$release"
if ! reload; then
    if [ -n "$previous" ]; then point_to "$previous"; else rm -f current; fi
    rm -rf "$release"
    exit 1
fi
for old in release-*; do
    [ "$old" = "$release" ] || rm -rf "$old"
done
