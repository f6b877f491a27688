"""Programs for those who work on this project: benchmarks and the gallery."""
