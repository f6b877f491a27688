"""The containers that stand for production in the rehearsal: systems, hosts and data stores at other addresses."""
