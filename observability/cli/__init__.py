"""The command line `./obs`: thin commands over the other packages."""
