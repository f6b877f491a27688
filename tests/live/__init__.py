"""A whole stack of its own beside whatever runs, under the real engine on a real Docker Engine."""
