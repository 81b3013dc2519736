"""A crowd of candidates and a reviewer who go on whatever happens, and a book of what they were told.

Each operation ends `ok` (answered with success), `refused` (answered with a problem) or unknown: then it is sent again
under the same id or key until it is answered, as a phone on a bad network does.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx

from deploy.demo.cast import Cast, make_cast, publish_rules
from deploy.demo.people import Candidate, Staff
from deploy.intake.accounts import Sorted, write_accounts
from deploy.intake.telling import tell_all
from services.review.accounts import StaffAccount
from services.upload.accounts import CandidateAccount
from shared.contracts.event import Person
from shared.contracts.facts import Facts
from shared.contracts.registration import RegistrationRecorded
from shared.security.passwords import hash_now
from shared.security.sealing import KeyRing
from tests.builders.papers import a_paper

PATIENCE_S = 90.0
REQUIRED = {"identity": 3, "diploma": 1, "trial_assessment": 1, "institution_licence": 1, "registration_notice": 1}


@dataclass
class Book:
    """What the crowd was told: the images that were accepted, how often somebody had to ask again."""

    accepted: set[UUID] = field(default_factory=set)
    again: int = 0


async def insist(book: Book, ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Ask until there is an answer that is none of the system's troubles."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            answer = await ask()
        except httpx.HTTPError:
            answer = None
        if answer is not None and answer.status_code < 500:
            return answer
        assert time.monotonic() < until, f"no answer within {PATIENCE_S:.0f} s"
        book.again += 1
        await asyncio.sleep(0.2)


@dataclass
class Crowd:
    """Candidates of one region, logged in, and a reviewer of their site."""

    cast: Cast
    candidates: list[Candidate]
    site: Staff
    book: Book

    async def close(self) -> None:
        """Hang up."""
        await asyncio.gather(*(each.http.aclose() for each in [*self.candidates, self.site]))

    async def upload_everything(self, *, pause_s: float = 0.0) -> None:
        """Every candidate uploads every required image, four candidates at a time."""
        places = asyncio.Semaphore(4)

        async def one(number: int, who: Candidate) -> None:
            async with places:
                for shade, item in enumerate(code for code, count in REQUIRED.items() for _ in range(count)):
                    await self.upload(who, item, a_paper(number * 11 + shade))
                    await asyncio.sleep(pause_s)

        await asyncio.gather(*(one(number, who) for number, who in enumerate(self.candidates)))

    async def upload(self, who: Candidate, item: str, body: bytes) -> UUID:
        """One image; the id is made once, so that asking again stores nothing twice."""
        image_id = uuid4()
        answer = await insist(self.book, lambda: who.upload(item, body, image_id=image_id))
        assert answer.status_code in {200, 201}, answer.text
        self.book.accepted.add(image_id)
        return image_id

    async def submit_everything(self) -> None:
        """Everybody hands in."""

        async def one(who: Candidate) -> None:
            key = str(uuid4())
            answer = await insist(self.book, lambda: who.submit(key))
            assert answer.status_code == 201, answer.text

        await asyncio.gather(*(one(who) for who in self.candidates))

    async def return_everything(self, item: str = "diploma") -> None:
        """The reviewer gives one item of every application back."""
        mark = {"mark": "return", "reason_code": "unreadable", "words": "请重新拍摄。"}
        for who in self.candidates:
            number = who.application_no
            claimed = await self._claimed(number)
            assert claimed.status_code == 200, claimed.text
            marked = await insist(self.book, lambda n=number: self.site.put(f"/reviews/{n}/items/{item}/mark", mark))
            assert marked.status_code == 200, marked.text
            key = str(uuid4())
            returned = await insist(self.book, lambda n=number, k=key: self.site.post(f"/reviews/{n}/returns", key=k))
            assert returned.status_code == 201, returned.text

    async def _claimed(self, number: str) -> httpx.Response:
        # The application comes into the queue once review has heard of it and of all its checks.
        until = time.monotonic() + PATIENCE_S
        while True:
            answer = await insist(self.book, lambda: self.site.claim(number))
            if answer.status_code == 200 or time.monotonic() > until:
                return answer
            await asyncio.sleep(0.2)

    async def sees(self, state: str) -> None:
        """Wait until every candidate's page says so."""
        until = time.monotonic() + PATIENCE_S
        for who in self.candidates:
            while True:
                page = await insist(self.book, lambda w=who: w.get(f"/applications/{w.application_no}"))
                if page.status_code == 200 and page.json()["state"] == state:
                    break
                assert time.monotonic() < until, f"{who.application_no} does not become {state}"
                await asyncio.sleep(0.2)


async def gather_crowd(environment: Mapping[str, str], size: int) -> Crowd:
    """Register `size` candidates in a region of their own and log everybody in."""
    cast = make_cast("neimenggu-2021", Facts(), seed=1)
    await publish_rules(environment, cast)
    keys = KeyRing(environment["MASTER_KEYS"], Path(environment["DATA_KEYS_FILE"]))
    base = secrets.randbelow(10**8)
    numbers = [f"{cast.pack.year}{base:08d}{n:03d}" for n in range(size)]
    site = cast.pack.sites[0].code
    await tell_all(
        environment["KAFKA_BOOTSTRAP_SERVERS"],
        "test",
        [
            RegistrationRecorded(
                application_no=number,
                registration_revision=1,
                region=cast.region,
                site=site,
                year=cast.pack.year,
                pack_id=cast.pack.id,
                facts=cast.facts,
                sealed=keys.seal(
                    cast.region,
                    cast.pack.year,
                    Person(name="测试", id_number=cast.person.id_number, phone=f"19{base % 10**6:06d}{n:03d}"),
                ),
            )
            for n, number in enumerate(numbers)
        ],
    )
    hashed = hash_now(cast.password)
    staff = StaffAccount.model_validate(
        {
            "login": cast.site_logins[0],
            "password": cast.password,
            "display_name": "测试审核员",
            "role": "site_reviewer",
            "region": cast.region,
            "site": site,
        }
    )
    await write_accounts(
        Sorted([CandidateAccount(number, hashed, activated=True) for number in numbers], [staff], []),
        environment["DATABASE_URL_UPLOAD"],
        environment["DATABASE_URL_REVIEW"],
    )
    origin = environment["PUBLIC_ORIGIN"]
    crowd = Crowd(cast, [Candidate(origin, number) for number in numbers], Staff(origin), Book())
    for who in crowd.candidates:
        await _log_in(crowd, who, who.application_no)
    await _log_in(crowd, crowd.site, cast.site_logins[0])
    return crowd


async def _log_in(crowd: Crowd, who: Candidate | Staff, login: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while (await insist(crowd.book, lambda: who.log_in(login, crowd.cast.password))).status_code != 201:
        assert time.monotonic() < until, f"{login} can't log in"
        await asyncio.sleep(0.2)
