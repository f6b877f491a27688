"""The command line `./obs`: short commands that call the other packages."""
