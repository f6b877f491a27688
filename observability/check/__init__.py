"""What `obs check` and the tests hold content to: rules, dashboards and runbooks, before anything runs."""
