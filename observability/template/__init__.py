"""What `obs init` and `obs new` write: files to start from."""
