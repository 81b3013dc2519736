"""How many exports may be under way: in a process, and of one person."""

from collections import Counter
from types import TracebackType
from typing import Self
from uuid import UUID

from shared.errors import TooManyRequests, Unavailable

# Each that reads holds a connection of the pool's twenty; two of one person leave room for a colleague's.
MOST_READING = 4
MOST_OF_ONE = 2


class ExportRoom:
    """Who exports now, in this process."""

    def __init__(self) -> None:
        self.reading = 0
        self.under_way: Counter[UUID] = Counter()

    def permit(self) -> "Permit":
        """Not taken yet; use it as a context around all that comes before the download."""
        return Permit(self)


class Permit:
    """Room for one export. Its context gives it back where something goes wrong; else the download does."""

    def __init__(self, room: ExportRoom) -> None:
        self._room = room
        self._staff_id: UUID | None = None
        self._reads = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is not None:
            self.give_back()

    def take(self, staff_id: UUID) -> None:
        """Take the room, or be refused at once.

        Raises:
            TooManyRequests: this person has as many under way as one may have (`own-exports-running`).
            Unavailable: others take all the room (`exports-busy`).
        """
        if self._room.under_way[staff_id] >= MOST_OF_ONE:
            raise TooManyRequests(
                "own-exports-running",
                f"您已有 {MOST_OF_ONE} 个导出正在下载，请等其中一个完成，或取消一个后再试。",
                f"You have {MOST_OF_ONE} exports under way. Wait until one has ended, or cancel one; then try again.",
                retry_after_s=30,
                most=MOST_OF_ONE,
            )
        if self._room.reading >= MOST_READING:
            raise Unavailable(
                "exports-busy",
                "正在导出的人较多，请半分钟后再试。",
                "Several exports are under way. Try again in half a minute.",
                retry_after_s=30,
            )
        self._staff_id, self._reads = staff_id, True
        self._room.reading += 1
        self._room.under_way[staff_id] += 1

    def has_read(self) -> None:
        """The database is done with: what is left to send is in a file."""
        if self._reads:
            self._reads = False
            self._room.reading -= 1

    def give_back(self) -> None:
        """The export has ended, or was never begun; once is enough."""
        self.has_read()
        if self._staff_id is not None:
            self._room.under_way[self._staff_id] -= 1
            self._room.under_way += Counter()  # keeps those above zero
            self._staff_id = None
