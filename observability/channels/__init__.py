"""The kinds of notification channel: one descriptor per kind, each in its own file."""
