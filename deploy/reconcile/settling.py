"""Reading everything at a moment when nothing is under way."""

import asyncio
import time
from collections.abc import Mapping

from deploy.reconcile.rules import is_settled
from deploy.reconcile.sources import Seen, read_everything, unsettled

_LOOK_EVERY_S = 0.3


async def read_settled(environment: Mapping[str, str], within_s: float) -> Seen:
    """Read everything once nothing is under way; when that takes too long, as it is then."""
    until = time.monotonic() + within_s
    while True:
        late = time.monotonic() >= until
        if late or not await unsettled(environment):
            seen = await read_everything(environment)
            # A notice that came to its end between the two looks is on its way again.
            if late or is_settled(seen):
                return seen
        await asyncio.sleep(_LOOK_EVERY_S)
