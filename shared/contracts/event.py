"""What every event has in common: an id, a time, a topic and the key that keeps its order."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ApplicationNo = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{4,32}$")]
"""报名编号: the Kafka key of every event about the application."""
ItemCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{1,63}$")]
"""A material item's stable code, such as `junior_college_diploma`."""
RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{2,16}$")]
"""考区: the province's two-digit code where it has one."""
SiteCode = Annotated[str, StringConstraints(pattern=r"^[0-9a-z-]{2,24}$")]
"""考点: a site's code, unique in the country."""
PackId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,47}$")]
"""规则包: one region's rules for one year, such as `neimenggu-2021`."""
ReasonCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{1,47}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""What a reviewer writes to a candidate."""


class Event(BaseModel):
    """A past-tense fact. `event_id` and `occurred_at` travel as CloudEvents headers, never in the body."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: ClassVar[str]
    compacted: ClassVar[bool] = False  # the newest record of a key stays; a record without a body takes it away
    kept_for_ever: ClassVar[bool] = False  # a proof, small and without personal data

    event_id: UUID = Field(default_factory=uuid4, exclude=True)
    occurred_at: datetime = Field(default_factory=lambda: datetime.now(UTC), exclude=True)

    @property
    def key(self) -> str:
        """The Kafka key: events with the same key keep their order."""
        return str(self.application_no)  # type: ignore[attr-defined]


class Part(BaseModel):
    """A value inside an event: frozen, and deaf to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Sealed(Part):
    """Personal data on a topic: AES-256-GCM under the data key of one region and year."""

    key_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-z][0-9a-z-]{1,47}$")]
    nonce: str  # base64, 12 bytes
    ciphertext: str  # base64, with the 16-byte tag


class Person(Part):
    """What `Sealed` holds about a candidate once it is opened."""

    name: str
    id_number: str
    phone: str


class CodeToSend(Part):
    """What `Sealed` holds about a code: where it goes, and the code."""

    phone: str
    code: str
