"""The checks of `obs check` and the tests on rules, dashboards and runbooks; nothing has to run."""
