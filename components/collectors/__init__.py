"""The log collectors: Alloy, and Promtail for those who run it or cannot have Alloy's image."""
