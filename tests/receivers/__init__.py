"""Doubles of the services that alerts are sent to: they take what the real ones take, and refuse what those refuse."""
