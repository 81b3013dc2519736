"""Which failures pass by themselves. They block in place; every other failure is the fault of a record."""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import Transient

# Connection trouble, deadlock, serialisation, lock and statement time-outs, a server that stops or is full.
_PASSING_CLASSES = ("08", "40", "53", "57")
_PASSING_STATES = ("55P03", "25P03")


def is_transient(error: BaseException) -> bool:
    """True when the same work may well succeed later: the network, the database or the store was away or busy."""
    if isinstance(error, Transient | OSError | TimeoutError | PoolTimeout | InterfaceError | OperationalError):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        state = getattr(error.orig, "sqlstate", None) or ""
        return state.startswith(_PASSING_CLASSES) or state in _PASSING_STATES
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state.startswith(_PASSING_CLASSES) or state in _PASSING_STATES
    return isinstance(error, asyncpg.InterfaceError)
