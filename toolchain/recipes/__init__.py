"""How to build images where they cannot be pulled and only package registries are reachable.

Users, paths, entry points and the lack of a shell are those of the official images at these versions (sources: the
Dockerfiles of each project), so that nothing works here that fails there. The recipe of a part's image is in the
part's descriptor, `observability/parts/`. Grafana has none: no package registry contains what its image
is built from. GoAlert has none either: its module lacks the web pages, where people acknowledge.
"""
