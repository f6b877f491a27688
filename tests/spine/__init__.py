"""A small stack of its own under the real engine on a real Docker Engine: what every stack has."""
