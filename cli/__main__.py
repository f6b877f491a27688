"""`python -m cli`, which is what `./obs` runs."""

from cli.app import main

main()
