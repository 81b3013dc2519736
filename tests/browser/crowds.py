"""A region with several applications handed in, through the candidates' own API."""

import asyncio
from collections.abc import Mapping
from io import BytesIO

from PIL import Image

from deploy.demo.cast import Cast, make_cast, open_accounts, publish_rules, register
from deploy.demo.papers import papers_for
from deploy.demo.people import Candidate, Staff
from deploy.demo.scene import eventually
from deploy.intake.accounts import Sorted, write_accounts
from deploy.specimens import draw
from services.upload.accounts import CandidateAccount
from shared.contracts.facts import Facts
from shared.security.passwords import hash_now

_WITHIN_S = 60


class Crowd:
    """A region, its staff, and candidates who have handed in.

    Attributes:
        cast: the staff, and the first candidate.
        casts: one for each candidate, in the order in which they handed in.
    """

    def __init__(self, environment: Mapping[str, str], casts: list[Cast]) -> None:
        self.environment = environment
        self.cast = casts[0]
        self.casts = casts

    @classmethod
    async def hands_in(cls, environment: Mapping[str, str], count: int, **rules: object) -> "Crowd":
        """Make them arrive and hand in, one after the other.

        Args:
            environment: of the running system.
            count: how many.
            **rules: fields of the pack that are different in this region.
        """
        first = make_cast("neimenggu-2021", Facts(), activated=True, rules=rules)
        casts = [first, *(first.with_another(Facts()) for _ in range(count - 1))]
        await publish_rules(environment, first)
        await open_accounts(environment, first)
        for cast in casts:
            account = CandidateAccount(cast.application_no, hash_now(cast.password), activated=True)
            databases = environment["DATABASE_URL_UPLOAD"], environment["DATABASE_URL_REVIEW"]
            await write_accounts(Sorted([account], [], []), *databases)
            await register(environment, cast)
        crowd = cls(environment, casts)
        for cast in casts:
            await crowd.submits(cast)
        return crowd

    def candidate(self, cast: Cast) -> Candidate:
        """A candidate's own client, to be entered and logged in."""
        return Candidate(self.environment["PUBLIC_ORIGIN"], cast.application_no)

    async def submits(self, cast: Cast, *, replacing: tuple[str, ...] = ()) -> None:
        """Upload what is missing, replace the first image of these items, and hand in."""
        async with self.candidate(cast) as candidate:
            await eventually(lambda: self._is_in(candidate, cast), "the candidate's page", within_s=_WITHIN_S)
            if replacing:
                await eventually(lambda: self._is_back(candidate), "the returned application", within_s=_WITHIN_S)
            first = 100 * self.casts.index(cast) + 10 * len(replacing)
            items = await candidate.items()
            for code in replacing:
                image = items[code]["images"][0]["image_id"]
                gone = await candidate.delete(f"/applications/{cast.application_no}/items/{code}/images/{image}")
                assert gone.status_code == 204, gone.text
            for code, item in (await candidate.items()).items():
                if not item["required"]:
                    continue
                for kind, seed in papers_for(code, item["min"])[len(item["images"]) :]:
                    body = await asyncio.to_thread(_one_of_a_kind, kind, cast, first + seed)
                    put = await candidate.upload(code, body)
                    assert put.status_code == 201, put.text
            answer = await candidate.submit()
            assert answer.status_code == 201, answer.text

    async def site_passes(self, *casts: Cast) -> None:
        """The site accepts everything and passes, through its own API."""
        async with Staff(self.environment["PUBLIC_ORIGIN"]) as site:
            await site.log_in(self.cast.site_logins[0], self.cast.password)
            for cast in casts:
                url = f"/reviews/{cast.application_no}"
                await eventually(lambda no=cast.application_no: self._has(site, no), "the claim", within_s=_WITHIN_S)
                found = (await site.get(url)).json()
                for item in (each for section in found["sections"] for each in section["items"] if each["handed_in"]):
                    marked = await site.put(f"{url}/items/{item['item']}/mark", {"mark": "accept"})
                    assert marked.status_code == 200, marked.text
                passed = await site.post(f"{url}/passes")
                assert passed.status_code == 201, passed.text

    async def _is_in(self, candidate: Candidate, cast: Cast) -> bool:
        logged_in = await candidate.log_in(cast.application_no, cast.password)
        return logged_in.is_success and (await candidate.get(f"/applications/{cast.application_no}")).is_success

    async def _is_back(self, candidate: Candidate) -> bool:
        return bool((await candidate.page())["state"] == "returned")

    async def _has(self, site: Staff, application_no: str) -> bool:
        return (await site.claim(application_no)).is_success


def _one_of_a_kind(kind: str, cast: Cast, seed: int) -> bytes:
    """A specimen that no other candidate hands in too: staff would be told of that, and nobody would be clean."""
    with Image.open(BytesIO(draw(kind, person=cast.sitter, seed=seed))) as drawn:
        picture = drawn.convert("RGB")
    number = int(cast.application_no)
    picture.paste((number % 251, number // 251 % 251, number // 251**2 % 251), (0, 0, 16, 16))
    for quality in (80, 65, 50, 40):
        file = BytesIO()
        picture.save(file, "JPEG", quality=quality)
        if file.tell() <= 204_800:
            break
    return file.getvalue()
