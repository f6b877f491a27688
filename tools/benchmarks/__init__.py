"""What takes how long, measured on a running stack; `make bench` prints it and fails where a limit is not kept."""
