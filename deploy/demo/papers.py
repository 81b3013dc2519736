"""Which specimens are handed in under which item."""

from collections.abc import Mapping

from deploy.specimens import ITEMS

PAPERS: Mapping[str, tuple[str, ...]] = {
    item: tuple(kind for kind, of in ITEMS.items() if of == item) for item in ITEMS.values() if item is not None
}
"""The kinds of specimen of each item."""


def papers_for(item: str, count: int) -> list[tuple[str, int]]:
    """So many specimens of an item, each as kind and seed; of an item without a paper of its own, a form."""
    kinds = PAPERS.get(item, ("trial_assessment",))
    return [(kinds[n % len(kinds)], 1 + n // len(kinds)) for n in range(max(count, 1))]
