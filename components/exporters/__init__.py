"""Programs that turn what others know into metrics: the built-in ones, and those from the settings."""
