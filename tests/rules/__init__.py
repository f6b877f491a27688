"""What the servers read, checked by the servers' own tools from the pinned images."""
