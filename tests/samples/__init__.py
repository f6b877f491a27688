"""The output of every exporter, recorded from its pinned version; `make samples` records it again."""
