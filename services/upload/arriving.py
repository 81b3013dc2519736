"""How many portraits arrive at once: each may take ten megabytes of this process until it lies in the store."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from services.upload.domain.photos import UNCHECKED_AT_ONCE, too_many_waiting
from shared.errors import Unavailable

MOST = 40


class Arriving:
    """Counts them, in this process."""

    def __init__(self) -> None:
        self._by_candidate: Counter[str] = Counter()

    @contextmanager
    def one_more(self, application_no: str) -> Iterator[None]:
        """While a portrait is taken in.

        Raises:
            TooManyRequests: this candidate sends as many as may wait for their check.
            Unavailable: this process has as many as it can have.
        """
        if self._by_candidate[application_no] >= UNCHECKED_AT_ONCE:
            raise too_many_waiting()
        if self._by_candidate.total() >= MOST:
            raise Unavailable(
                "too-many-portraits",
                "照片检测暂时繁忙，请稍后重试。",
                "Many photos are arriving just now. Send yours again in a few seconds.",
                retry_after_s=5,
            )
        self._by_candidate[application_no] += 1
        try:
            yield
        finally:
            self._by_candidate[application_no] -= 1
            if not self._by_candidate[application_no]:
                del self._by_candidate[application_no]
