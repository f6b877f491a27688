"""Where each part of the stack runs: Pulumi components. Plain Python elsewhere computes their inputs."""
