"""The kinds of notification channel: one descriptor per kind, each in a file of its own."""
