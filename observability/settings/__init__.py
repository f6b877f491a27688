"""Settings, names and image pins: all decisions before a resource is declared."""
