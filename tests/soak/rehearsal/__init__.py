"""The containers that represent production in the rehearsal: systems, hosts and data stores at other addresses."""
