"""The definition of a stack in plain Python; `components/` declares its resources, and `obs` runs the commands."""
