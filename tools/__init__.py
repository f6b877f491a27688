"""Programs for developers of this project: benchmarks and the gallery."""
