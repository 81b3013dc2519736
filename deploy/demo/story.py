"""A story is a list of acts, each a step of one candidate. The first step that was not true ends it."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import NamedTuple

import httpx

from deploy.demo.cast import Cast
from deploy.demo.papers import PAPERS
from deploy.demo.people import Candidate
from deploy.demo.scene import NotTrue, Scene, Staffed, Step
from deploy.demo.steps import arriving, pictures, publishing, reviewing, submitting, uploading

__all__ = ["PAPERS", "Act", "Outcome", "Story", "main_job"]


class Act(NamedTuple):
    """A step by its name; `who` counts the story's candidates from nought."""

    name: str
    step: Step
    who: int = 0


@dataclass
class Outcome:
    """One step as it went."""

    step: str
    ok: bool
    ms: float
    said: str = ""


ARRIVAL = (
    Act("rules-published", arriving.rules_are_published),
    Act("registration-recorded", arriving.registration_arrives),
    Act("account-activated", arriving.account_is_activated),
    Act("candidate-logged-in", arriving.candidate_logs_in),
    Act("checklist-seen", arriving.checklist_is_seen),
)
UPLOADING = (
    Act("incomplete-submit-refused", uploading.incomplete_submit_is_refused),
    Act("bad-files-refused", uploading.bad_files_are_refused),
    Act("bad-pictures-explained", pictures.bad_pictures_are_explained),
    Act("images-uploaded", uploading.images_are_uploaded),
    Act("repeated-upload-stored-once", uploading.a_repeated_upload_is_stored_once),
    Act("fixed-count-held", uploading.fixed_count_is_held),
    Act("images-checked", uploading.images_are_checked),
)
PHOTO = (
    Act("photo-declaration-asked", pictures.photo_wants_a_declaration),
    Act("faulty-photo-explained", pictures.faulty_photo_is_explained),
    Act("photo-checked", pictures.photo_is_checked),
    Act("changed-photo-refused", pictures.changed_photo_is_refused),
    Act("photo-registered", pictures.photo_is_registered),
)
SUBMITTING = (
    Act("submitted", submitting.application_is_submitted),
    Act("everything-locked", submitting.everything_is_locked),
)
REVIEW = (
    Act("staff-logged-in", reviewing.staff_log_in),
    Act("claimed-by-site", reviewing.site_claims),
    Act("second-claim-refused", reviewing.second_claim_is_refused),
    Act("staff-saw-image", reviewing.staff_see_the_image),
    Act("staff-saw-photo", pictures.staff_see_the_photo),
    Act("staff-saw-what-was-read", pictures.staff_see_what_was_read),
    Act("item-returned", reviewing.item_is_returned),
    Act("exactly-that-item-unlocked", reviewing.exactly_that_item_is_unlocked),
    Act("feedback-on-top", reviewing.feedback_is_on_top),
    Act("sms-received", reviewing.sms_is_received),
    Act("inbox-notice-received", reviewing.inbox_notice_is_received),
    Act("returned-image-refused", pictures.returned_image_is_refused),
    Act("image-replaced", uploading.image_is_replaced),
    Act("resubmitted", submitting.application_is_submitted_again),
    Act("passed-by-site", reviewing.site_passes),
    Act("approved-by-region", reviewing.region_approves),
)
PUBLICATION = (
    Act("opinion-hidden-before-publication", publishing.opinion_is_hidden),
    Act("published", publishing.region_publishes()),
    Act("final-opinion-read", publishing.final_opinion_is_read),
    Act("publication-sms-received", publishing.publication_sms_is_received),
)


def main_job(
    cast: Cast, *, seen: Sequence[Act] = (), handed_in: Sequence[Act] = (), published: Sequence[Act] = ()
) -> list[Act]:
    """The main job, from the rules to the final opinion.

    Args:
        cast: who plays; where their pack does not fix how many images an identity has, that act is left out.
        seen: acts after the checklist was seen.
        handed_in: acts after the application was handed in, before staff look at it.
        published: acts after the final opinion was read.
    """
    identity = cast.pack.items["identity"]
    fixed_count = identity.min == identity.max
    uploading_acts = [act for act in UPLOADING if fixed_count or act.name != "fixed-count-held"]
    return [*ARRIVAL, *seen, *uploading_acts, *PHOTO, *SUBMITTING, *handed_in, *REVIEW, *PUBLICATION, *published]


class Story:
    """Acts with a cast, on the running system that `environment` names.

    Args:
        environment: where everything is.
        cast: the first candidate, and the region's staff.
        acts: what is played; left out, the main job.
        others: further candidates of the same region.
    """

    def __init__(
        self, environment: Mapping[str, str], cast: Cast, acts: Sequence[Act] | None = None, others: Sequence[Cast] = ()
    ) -> None:
        self.environment = environment
        self.cast = cast
        self._casts = (cast, *others)
        self._acts = list(acts) if acts is not None else main_job(cast)

    def steps(self) -> list[str]:
        """The acts' names in order."""
        return [act.name for act in self._acts]

    async def play(self) -> AsyncIterator[Outcome]:
        """Play step by step; nothing follows a step that was not true."""
        async with AsyncExitStack() as stack:
            staff = await Staffed.enter(stack, self.environment)
            scenes = [await self._scene(stack, staff, cast) for cast in self._casts]
            for act in self._acts:
                started = time.perf_counter()
                try:
                    said = await act.step(scenes[act.who])
                    ok = True
                except (NotTrue, httpx.HTTPError, KeyError, IndexError, TypeError, ValueError) as error:
                    said, ok = f"{type(error).__name__}: {error}", False
                yield Outcome(act.name, ok, round((time.perf_counter() - started) * 1000, 1), said or "")
                if not ok:
                    return

    async def _scene(self, stack: AsyncExitStack, staff: Staffed, cast: Cast) -> Scene:
        answer = self.environment.get("CAPTCHA_TEST_ANSWER", "")
        candidate = Candidate(self.environment["PUBLIC_ORIGIN"], cast.application_no, answer)
        return Scene(self.environment, cast, await stack.enter_async_context(candidate), staff)
