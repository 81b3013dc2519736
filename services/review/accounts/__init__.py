"""Staff accounts: who may log in, by what, with which role, for which region or site."""

from services.review.accounts.importing import StaffAccount, import_staff
from services.review.accounts.people import (
    Account,
    by_provider,
    came_through,
    credentials,
    known,
    member,
    showed_its_factor,
)

__all__ = [
    "Account",
    "StaffAccount",
    "by_provider",
    "came_through",
    "credentials",
    "import_staff",
    "known",
    "member",
    "showed_its_factor",
]
