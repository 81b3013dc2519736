"""The main job as a story of steps. Each step does one thing and sees that it is so; the first untrue one ends it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from deploy.demo.cast import Cast, open_accounts, publish_rules, register
from deploy.demo.people import Candidate, Staff
from deploy.specimens import draw, spoil

PATIENCE_S = 30.0
WORDS = "毕业证书编号无法辨认，请重新拍摄上传。"
# Which specimens are handed in under which item.
PAPERS: dict[str, tuple[str, ...]] = {
    "identity": ("identity_front", "identity_back", "identity_holding"),
    "diploma": ("diploma",),
    "junior_college_diploma": ("junior_college_diploma",),
    "degree": ("degree",),
    "student_card": ("student_card",),
    "assistant_qualification": ("assistant_qualification",),
    "assistant_practice_licence": ("assistant_practice_licence",),
    "institution_licence": ("institution_licence",),
    "trial_assessment": ("trial_assessment",),
}


class NotTrue(Exception):
    """A step that was not seen to be true."""


def see(true: object, what: str) -> None:
    """Stop the story unless `true`."""
    if not true:
        raise NotTrue(what)


def answered(answer: httpx.Response, status: int, code: str | None = None) -> httpx.Response:
    """See that an answer has this status, and of a problem this code."""
    said = answer.json().get("code") if answer.is_error and answer.content else None
    see(answer.status_code == status, f"answered {answer.status_code} {said or ''}, not {status}")
    see(code is None or said == code, f"the problem is {said}, not {code}")
    return answer


async def eventually(look: Callable[[], Awaitable[Any]], what: str) -> Any:  # noqa: ANN401 what `look` found
    """Look until there is something to see, half a minute at most."""
    until = time.monotonic() + PATIENCE_S
    while True:
        found = await look()
        if found:
            return found
        if time.monotonic() > until:
            raise NotTrue(f"not seen within {PATIENCE_S:.0f} s: {what}")
        await asyncio.sleep(0.1)


@dataclass
class Outcome:
    """One step as it went."""

    step: str
    ok: bool
    ms: float
    said: str = ""


@dataclass
class Story:
    """The main job with one cast, on the running system that `environment` names."""

    environment: Mapping[str, str]
    cast: Cast
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _papers: dict[tuple[str, int], bytes] = field(default_factory=dict)

    async def play(self) -> AsyncIterator[Outcome]:
        """Play step by step; nothing follows a step that was not true."""
        origin = self.environment["PUBLIC_ORIGIN"]
        async with self._stack:
            self.candidate = await self._stack.enter_async_context(Candidate(origin, self.cast.application_no))
            self.site = await self._stack.enter_async_context(Staff(origin))
            self.colleague = await self._stack.enter_async_context(Staff(origin))
            self.region = await self._stack.enter_async_context(Staff(origin))
            self.sms = await self._stack.enter_async_context(
                httpx.AsyncClient(base_url=self.environment["SMS_GATEWAY_URL"], timeout=10, trust_env=False)
            )
            for name, step in self.steps():
                started = time.perf_counter()
                try:
                    said = await step()
                    ok = True
                except (NotTrue, httpx.HTTPError, KeyError, IndexError, TypeError, ValueError) as error:
                    said, ok = f"{type(error).__name__}: {error}", False
                yield Outcome(name, ok, round((time.perf_counter() - started) * 1000, 1), said or "")
                if not ok:
                    return

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[str | None]]]]:
        """The story."""
        return [
            ("rules-published", self.rules_are_published),
            ("registration-recorded", self.registration_arrives),
            ("candidate-logged-in", self.candidate_logs_in),
            ("checklist-seen", self.checklist_is_seen),
            ("incomplete-submit-refused", self.incomplete_submit_is_refused),
            ("bad-files-refused", self.bad_files_are_refused),
            ("images-uploaded", self.images_are_uploaded),
            ("repeated-upload-stored-once", self.a_repeated_upload_is_stored_once),
            ("fixed-count-held", self.fixed_count_is_held),
            ("images-checked", self.images_are_checked),
            ("submitted", self.application_is_submitted),
            ("everything-locked", self.everything_is_locked),
            ("staff-logged-in", self.staff_log_in),
            ("claimed-by-site", self.site_claims),
            ("second-claim-refused", self.second_claim_is_refused),
            ("staff-saw-image", self.staff_see_the_image),
            ("item-returned", self.item_is_returned),
            ("exactly-that-item-unlocked", self.exactly_that_item_is_unlocked),
            ("feedback-on-top", self.feedback_is_on_top),
            ("sms-received", self.sms_is_received),
            ("inbox-notice-received", self.inbox_notice_is_received),
            ("image-replaced", self.image_is_replaced),
            ("resubmitted", self.application_is_resubmitted),
            ("passed-by-site", self.site_passes),
            ("approved-by-region", self.region_approves),
            ("opinion-hidden-before-publication", self.opinion_is_hidden),
            ("published", self.region_publishes),
            ("final-opinion-read", self.final_opinion_is_read),
            ("publication-sms-received", self.publication_sms_is_received),
        ]

    @property
    def _review(self) -> str:
        return f"/reviews/{self.cast.application_no}"

    def _paper(self, kind: str, seed: int = 1) -> bytes:
        if (kind, seed) not in self._papers:
            self._papers[kind, seed] = draw(kind, person=self.cast.sitter, seed=seed)
        return self._papers[kind, seed]

    async def rules_are_published(self) -> str:
        """The region's rules go out on rules.published.v1."""
        await publish_rules(self.environment, self.cast)
        return f"{self.cast.pack.id} version {self.cast.pack.version}"

    async def registration_arrives(self) -> str:
        """The registration goes out on registration.recorded.v1; accounts are opened."""
        await register(self.environment, self.cast)
        await open_accounts(self.environment, self.cast)
        return f"报名编号 {self.cast.application_no}"

    async def candidate_logs_in(self) -> str:
        """The candidate logs in as soon as the registration has arrived."""
        answered(await self.candidate.log_in(self.cast.application_no, "not the password"), 401, "login-failed")

        async def logged_in() -> bool:
            return (await self.candidate.log_in(self.cast.application_no, self.cast.password)).status_code == 201

        await eventually(logged_in, "the candidate's login")
        return "a wrong password was refused, the right one taken"

    async def checklist_is_seen(self) -> str:
        """All items are shown, the required ones marked."""

        async def page() -> bool:
            return (await self.candidate.get(f"/applications/{self.cast.application_no}")).status_code == 200

        await eventually(page, "the application's page")
        items = await self.candidate.items()
        see(set(items) == set(self.cast.pack.ordered_items()), "not every item of the pack is shown")
        self.required = [code for code, item in items.items() if item["required"]]
        see("identity" in self.required, "identity is not required")
        see((items["identity"]["min"], items["identity"]["max"]) == (3, 3), "identity has no fixed count of 3")
        return f"{len(items)} items, {len(self.required)} required"

    async def incomplete_submit_is_refused(self) -> str:
        """Handing in nothing names every missing item."""
        answer = answered(await self.candidate.submit(), 422, "not-complete")
        missing = {each["item"] for each in answer.json()["missing"]}
        see(missing == set(self.required), "the missing items are not the required ones")
        return f"{len(missing)} missing items named"

    async def bad_files_are_refused(self) -> str:
        """Too large, wrong type, empty: each refused with its reason, and nothing stays."""
        diploma = self._paper("diploma")
        answered(await self.candidate.upload("diploma", spoil(diploma, "too_large")), 413, "too_large_bytes")
        answered(await self.candidate.upload("diploma", spoil(diploma, "wrong_type")), 415, "unsupported_format")
        answered(await self.candidate.upload("diploma", b""), 422, "empty")
        answered(await self.candidate.upload("diploma", diploma, name="diploma.pdf"), 415, "extension_mismatch")
        see((await self.candidate.items())["diploma"]["images"] == [], "a refused file left something behind")
        return "413, 415, 422 and 415"

    async def images_are_uploaded(self) -> str:
        """Specimens for every required item."""
        count = 0
        for code in self.required:
            for kind in PAPERS.get(code, ("trial_assessment",)):
                self.first_image = uuid4()
                answered(await self.candidate.upload(code, self._paper(kind), image_id=self.first_image), 201)
                self.last_upload = (code, kind)
                count += 1
        return f"{count} images"

    async def a_repeated_upload_is_stored_once(self) -> str:
        """The same image under the same id again changes nothing; other bytes are refused."""
        code, kind = self.last_upload
        before = len((await self.candidate.items())[code]["images"])
        answered(await self.candidate.upload(code, self._paper(kind), image_id=self.first_image), 200)
        other = self._paper(kind, seed=2)
        answered(await self.candidate.upload(code, other, image_id=self.first_image), 422, "image-id-reused")
        see(len((await self.candidate.items())[code]["images"]) == before, "the repeated upload was stored twice")
        return "same answer, one image"

    async def fixed_count_is_held(self) -> str:
        """A fourth identity image is refused."""
        answered(await self.candidate.upload("identity", self._paper("identity_front", 3)), 409, "count-reached")
        return "the fourth identity image was refused"

    async def images_are_checked(self) -> str:
        """Validation's verdict reaches the page."""

        async def checked() -> bool:
            images = [image for item in (await self.candidate.items()).values() for image in item["images"]]
            see(all(image["status"] != "rejected" for image in images), "a good specimen was rejected")
            return all(image["status"] in {"good", "review"} for image in images)

        await eventually(checked, "the checks of all images")
        return "every image was looked at"

    async def application_is_submitted(self) -> str:
        """Handing in, twice with one key: one submission."""
        key = str(uuid4())
        first = answered(await self.candidate.submit(key), 201)
        again = answered(await self.candidate.submit(key), 201)
        see(first.json() == again.json(), "the repeated submit got another answer")
        see(first.json()["round"] == 1, "it is not round 1")
        answered(await self.candidate.submit(), 409, "already-submitted")
        return "round 1"

    async def everything_is_locked(self) -> str:
        """No item can be changed, and the page says so."""
        page = await self.candidate.page()
        locked = [item["locked"] for section in page["sections"] for item in section["items"]]
        see(page["locked"] and all(locked), "an item is not locked")
        see(page["timeline"][0]["text"]["zh"] == "上报完成，内容已锁定", "the timeline does not say so")
        answered(await self.candidate.upload("diploma", self._paper("diploma", 2)), 409, "item-locked")
        return str(page["timeline"][0]["text"]["zh"])

    async def staff_log_in(self) -> str:
        """Two site reviewers and a region reviewer log in."""
        answered(await self.site.log_in(self.cast.site_logins[0], self.cast.password), 201)
        answered(await self.colleague.log_in(self.cast.site_logins[1], self.cast.password), 201)
        answered(await self.region.log_in(self.cast.region_login, self.cast.password), 201)
        return "two of the site, one of the region"

    async def _claims(self, who: Staff, what: str) -> None:
        async def queued() -> bool:
            waiting = answered(await who.get("/reviews", state="waiting"), 200).json()["items"]
            return any(each["application_no"] == self.cast.application_no for each in waiting)

        await eventually(queued, what)
        answered(await who.claim(self.cast.application_no), 200)

    async def site_claims(self) -> str:
        """The application appears in the site's queue and is claimed."""
        await self._claims(self.site, "the application in the site's queue")
        return "from the queue"

    async def second_claim_is_refused(self) -> str:
        """A colleague can't have it too; the region can't yet."""
        answered(await self.colleague.claim(self.cast.application_no), 409)
        return "the colleague got 409"

    async def staff_see_the_image(self) -> str:
        """The reviewer sees exactly the bytes that the candidate uploaded."""
        detail = answered(await self.site.get(self._review), 200).json()
        items = {item["item"]: item for section in detail["sections"] for item in section["items"]}
        image = items["diploma"]["images"][0]
        shown = answered(await self.site.get(image["url"]), 200)
        see(shown.content == self._paper("diploma"), "it is not the image that was uploaded")
        self.returned_image = image["image_id"]
        return f"{len(shown.content)} bytes, as uploaded"

    async def item_is_returned(self) -> str:
        """The diploma is given back with words; the rest is accepted."""
        for code in self.required:
            body: dict[str, Any] = {"mark": "accept"}
            if code == "diploma":
                body = {
                    "mark": "return",
                    "reason_code": "unreadable",
                    "words": WORDS,
                    "image_ids": [self.returned_image],
                }
            answered(await self.site.put(f"{self._review}/items/{code}/mark", body), 200)
        answered(await self.site.post(f"{self._review}/returns"), 201)
        return WORDS

    async def exactly_that_item_is_unlocked(self) -> str:
        """The diploma, and nothing else, can be changed."""

        async def returned() -> bool:
            return bool((await self.candidate.page())["state"] == "returned")

        await eventually(returned, "the return on the candidate's page")
        unlocked = [code for code, item in (await self.candidate.items()).items() if not item["locked"]]
        see(unlocked == ["diploma"], f"unlocked: {unlocked}")
        answered(await self.candidate.upload("identity", self._paper("identity_front")), 409, "item-locked")
        return "diploma"

    async def feedback_is_on_top(self) -> str:
        """The newest feedback, with its time and words."""
        newest = (await self.candidate.page())["feedback"][0]
        see(newest["items"][0]["words"] == WORDS and newest["at"], "the feedback has other words, or no time")
        see(newest["tier"] == "site", "the feedback is not the site's")
        return str(newest["at"])

    async def _messages(self) -> list[dict[str, Any]]:
        answer = await self.sms.get("/messages", params={"to": self.cast.person.phone, "limit": 50})
        answer.raise_for_status()
        found = answer.json()
        messages: list[dict[str, Any]] = found["messages"]
        return messages

    async def sms_is_received(self) -> str:
        """One SMS at the provider."""
        found = await eventually(self._messages, "the SMS at the gateway")
        see(len(found) == 1, f"{len(found)} SMS")
        return str(found[0]["text"])

    async def inbox_notice_is_received(self) -> str:
        """One in-app message about the return."""

        async def notices() -> list[dict[str, Any]]:
            items = answered(await self.candidate.get("/inbox"), 200).json()["items"]
            return [each for each in items if each["about"] == "returned"]

        found = await eventually(notices, "the in-app message")
        see(len(found) == 1, f"{len(found)} in-app messages")
        return str(found[0]["title"]["zh"])

    async def image_is_replaced(self) -> str:
        """The old image goes, a new one comes and is checked."""
        old = f"/applications/{self.cast.application_no}/items/diploma/images/{self.returned_image}"
        answered(await self.candidate.delete(old), 204)
        answered(await self.candidate.upload("diploma", self._paper("diploma", 2)), 201)

        async def checked() -> bool:
            [image] = (await self.candidate.items())["diploma"]["images"]
            return bool(image["status"] in {"good", "review"})

        await eventually(checked, "the check of the new image")
        return "a sharper diploma"

    async def application_is_resubmitted(self) -> str:
        """Round 2."""
        see(answered(await self.candidate.submit(), 201).json()["round"] == 2, "it is not round 2")
        return "round 2"

    async def site_passes(self) -> str:
        """The site sees only the changed item marked as changed, accepts it and passes."""
        await self._claims(self.site, "the resubmission in the site's queue")
        detail = answered(await self.site.get(self._review), 200).json()
        changed = [i["item"] for section in detail["sections"] for i in section["items"] if i["changed"]]
        see(changed == ["diploma"], f"marked as changed: {changed}")
        answered(await self.site.put(f"{self._review}/items/diploma/mark", {"mark": "accept"}), 200)
        answered(await self.site.post(f"{self._review}/passes"), 201)
        return "to the region"

    async def region_approves(self) -> str:
        """The site may not decide; the region claims and approves."""
        body = {"outcome": "approved", "words": "材料齐全，审核通过。"}
        answered(await self.site.post(f"{self._review}/decisions", body), 403)
        await self._claims(self.region, "the application in the region's queue")
        answered(await self.region.post(f"{self._review}/decisions", body), 201)
        return "approved"

    async def opinion_is_hidden(self) -> str:
        """Nothing of the decision shows before the region publishes."""
        await asyncio.sleep(1)
        page = await self.candidate.page()
        see(page["opinion"] is None, "the opinion shows before publication")
        see(page["state"] == "submitted", f"the state says {page['state']}")
        return "the candidate sees no opinion"

    async def region_publishes(self) -> str:
        """The region publishes all its opinions."""
        body = {"region": self.cast.region, "year": self.cast.pack.year}
        see(answered(await self.region.post("/publications", body), 201).json()["published"] == 1, "not one published")
        return "1 application"

    async def final_opinion_is_read(self) -> str:
        """The candidate reads it."""

        async def opinion() -> dict[str, Any] | None:
            found: dict[str, Any] | None = (await self.candidate.page())["opinion"]
            return found

        found = await eventually(opinion, "the final opinion")
        see(found["opinion"] == "approved", f"the opinion is {found['opinion']}")
        return f"{found['opinion']}: {found['words']}"

    async def publication_sms_is_received(self) -> str:
        """A second SMS, which does not tell the outcome."""

        async def second() -> list[dict[str, Any]]:
            found = await self._messages()
            return found if len(found) >= 2 else []

        found = await eventually(second, "the second SMS")
        see(len(found) == 2, f"{len(found)} SMS")
        return str(found[0]["text"])
