"""What the agents of vendors within the systems' own applications are told, as environment variables."""
