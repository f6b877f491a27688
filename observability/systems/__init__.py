"""The watched systems: one YAML file each, and the schema of such a file."""
