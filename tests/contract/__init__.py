"""The contract that Pulumi's Docker plugin and our stand-in for it both keep."""
