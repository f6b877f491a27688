"""The Pulumi program: one stack per environment, from `Pulumi.<stack>.yaml`."""

from components.stack import deploy

deploy()
