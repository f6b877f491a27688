"""What every exporter says, recorded from its pinned version; `make samples` records it anew."""
