"""A fitting story for each region: the main job, and what is special there."""

from collections.abc import Callable, Mapping
from datetime import date

from deploy.demo.cast import Cast, make_cast
from deploy.demo.steps import arriving, publishing, reviewing, submitting, uploading
from deploy.demo.story import ARRIVAL, PUBLICATION, Act, Story, main_job
from deploy.intake.packs import RULES
from deploy.local.moment import now_in
from shared.contracts.facts import Facts

DEFAULT = "neimenggu-2021"


def pack_names() -> list[str]:
    """The packs that there are, by id."""
    return sorted(file.stem for file in RULES.glob("*.yaml"))


def story_of(pack_id: str, environment: Mapping[str, str]) -> Story:
    """The story of a pack in `rules/`; one that has none of its own gets the main job."""
    return _STORIES.get(pack_id, _main_job)(pack_id, environment)


def _cast(pack_id: str, environment: Mapping[str, str], facts: Facts) -> Cast:
    return make_cast(pack_id, facts, now=now_in(environment))


def _main_job(pack_id: str, environment: Mapping[str, str]) -> Story:
    return Story(environment, _cast(pack_id, environment, Facts()))


def _neimenggu(pack_id: str, environment: Mapping[str, str]) -> Story:
    """A bachelor withdraws and hands in again; then the registration turns out to be of an upgraded one."""
    cast = _cast(pack_id, environment, Facts())
    changes = submitting.registration_changes(
        "junior_college_diploma", upgraded_from_junior_college=True, upgrade_entered_on=date(2015, 9, 1)
    )
    return Story(
        environment,
        cast,
        main_job(
            cast,
            handed_in=(
                Act("withdrawn", submitting.application_is_withdrawn),
                Act("submitted-again", submitting.application_is_submitted_again),
                Act("reopened-by-registration-change", changes),
                Act("new-requirement-uploaded", uploading.images_are_uploaded),
                Act("new-images-checked", uploading.images_are_checked),
                Act("submitted-after-change", submitting.application_is_submitted_again),
            ),
        ),
    )


def _hunan(pack_id: str, environment: Mapping[str, str]) -> Story:
    """An assistant goes up, whose registration was changed, and who keeps last year's skills pass."""
    facts = Facts(
        upgrading=True,
        education="junior_college",
        entered_on=date(2014, 9, 1),
        graduated_on=date(2017, 7, 1),
        registration_changed=True,
        registration_years_short=True,
        carried_over_skill_pass=True,
        review_passed_years=(2025,),
    )
    cast = _cast(pack_id, environment, facts)
    asked = arriving.requires(
        "assistant_qualification",
        "assistant_practice_licence",
        "practice_assessment",
        "first_registration_proof",
        not_these=("trial_assessment",),
    )
    return Story(
        environment,
        cast,
        main_job(
            cast,
            seen=(
                Act("route-told", arriving.takes_route("online")),
                Act("requirements-of-an-assistant-going-up", asked),
            ),
        ),
    )


def _province(pack_id: str, environment: Mapping[str, str]) -> Story:
    """A fresh graduate uploads, confirms on-site as everybody does, and owes the rest of the trial period."""
    facts = Facts(fresh_graduate=True, entered_on=date(2016, 9, 1), graduated_on=date(2021, 7, 1))
    cast = _cast(pack_id, environment, facts)
    return Story(
        environment,
        cast,
        main_job(
            cast,
            seen=(
                Act("route-told", arriving.takes_route("both")),
                Act("onsite-papers-listed", arriving.onsite_panel_is_seen),
                Act("degree-required", arriving.requires("degree", "education_record")),
            ),
            published=(Act("supplement-announced", publishing.supplement_is_announced),),
        ),
    )


def _liaoning(pack_id: str, environment: Mapping[str, str]) -> Story:
    """One candidate serves in the army and hands in data only; another passed review the year before."""
    serving = _cast(pack_id, environment, Facts(military="serving", id_document="military_card"))
    passed = serving.with_another(Facts(review_passed_years=(2021,)))
    data_only = (
        *ARRIVAL,
        Act("route-told", arriving.takes_route("onsite", uploads=False)),
        Act("onsite-papers-listed", arriving.onsite_panel_is_seen),
        Act("uploads-refused", uploading.uploads_are_refused),
        Act("data-submitted", submitting.application_is_submitted),
        Act("data-locked", submitting.everything_is_locked),
    )
    seen = (
        Act("second-route-told", arriving.takes_route("online")),
        Act("previous-result-required", arriving.requires("previous_result")),
    )
    # The second candidate's; the region's rules are there already, and publishing comes last, for both.
    whole = main_job(serving, seen=seen)[1 : -len(PUBLICATION)]
    both = (
        Act("data-passed-by-site", reviewing.site_passes_at_once),
        Act("data-approved-by-region", reviewing.region_approves),
        Act("opinion-hidden-before-publication", publishing.opinion_is_hidden, 1),
        Act("published", publishing.region_publishes(2), 1),
        Act("final-opinion-read", publishing.final_opinion_is_read, 1),
        Act("publication-sms-received", publishing.publication_sms_is_received, 1),
        Act("data-only-opinion-read", publishing.final_opinion_is_read),
    )
    acts = [
        *(act._replace(name=f"serving-{act.name}") if act in ARRIVAL[1:] else act for act in data_only),
        *(act._replace(who=1) for act in whole),
        *both,
    ]
    return Story(environment, serving, acts, [passed])


_STORIES: Mapping[str, Callable[[str, Mapping[str, str]], Story]] = {
    "neimenggu-2021": _neimenggu,
    "hunan-2026": _hunan,
    "province-2022": _province,
    "liaoning-2022": _liaoning,
}
