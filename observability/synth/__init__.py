"""The whole program without an engine: every resource it declares, and every file it generates."""
