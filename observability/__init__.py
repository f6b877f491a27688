"""What a stack is made of: decided in plain Python, carried out by `components/` and driven by `obs`."""
