"""The log collectors: Alloy, or Promtail where it is already in use or Alloy's image is not available."""
