"""The contract that both Pulumi's Docker plugin and our stand-in for it fulfil."""
