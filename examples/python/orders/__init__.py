"""A small service, instrumented as a service should be."""
