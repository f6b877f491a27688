"""A whole separate stack next to any running one, under the real engine on a real Docker Engine."""
