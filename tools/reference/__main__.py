"""`make reference`: write the pages of `docs/reference/`."""

from tools.reference import write

if __name__ == "__main__":
    write()
