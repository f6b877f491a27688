"""The rows that `schema.sql` makes in empty tables; their ids count from 1."""

from typing import Final

FIRST_USERS: Final = 200
FIRST_PRODUCTS: Final = 60
