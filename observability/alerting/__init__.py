"""Who hears of an alert, as data, and the alertmanager.yaml that says so."""
