"""The systems that are watched: one YAML file each, and what such a file may say."""
