"""What the servers read, judged by the servers' own tools, as the pinned images hold them."""
