"""Where each part of the stack runs: Pulumi components. What they are given is decided in plain Python elsewhere."""
