"""Settings, names and image pins: everything that is decided before a resource is declared."""
