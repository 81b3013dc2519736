"""A story for each thing that staff may do with an application, each with a region, staff and candidate of its own."""

from collections.abc import Mapping, Sequence

from deploy.demo.cast import Cast, make_cast
from deploy.demo.steps import arriving, deciding, publishing, releasing, reviewing, submitting, uploading
from deploy.demo.story import Act, Story
from deploy.local.moment import now_in
from shared.contracts.facts import Facts

ALL = "all"
_ARRIVAL = (
    Act("rules-published", arriving.rules_are_published),
    Act("registered", arriving.registration_arrives),
    Act("account-activated", arriving.account_is_activated),
    Act("checklist-seen", arriving.checklist_is_seen),
    Act("images-uploaded", uploading.images_are_uploaded),
    Act("images-checked", uploading.images_are_checked),
    Act("handed-in", submitting.application_is_submitted),
    Act("staff-logged-in", reviewing.staff_log_in),
)
_PASSED = Act("passed-by-site", deciding.site_claims_and_passes)
_APPROVED = Act("approved-by-region", deciding.region_decides("approved", "材料齐全，审核通过。"))

_ACTS: Mapping[str, Sequence[Act]] = {
    "pass": (
        Act("found-by-search", deciding.search_finds_it),
        Act("masked-until-claimed", deciding.name_is_masked_until_claimed),
        Act("strangers-refused", deciding.strangers_find_nothing),
        Act("pass-undone", deciding.pass_is_undone),
        Act("passed-by-site", deciding.site_passes_it),
        _APPROVED,
    ),
    "return": (
        Act("two-items-returned", deciding.two_items_are_returned),
        Act("exactly-those-unlocked", deciding.exactly_those_are_unlocked),
        Act("sms-received", reviewing.sms_is_received),
        Act("inbox-notice-received", reviewing.inbox_notice_is_received),
        Act("returned-items-replaced", deciding.returned_items_are_replaced),
        Act("resubmitted", submitting.application_is_submitted_again),
        Act("old-revision-refused", deciding.old_revision_is_refused),
        Act("only-changed-marked", deciding.only_changed_is_marked),
        Act("passed-by-site", deciding.site_passes_it),
    ),
    "send-back": (
        _PASSED,
        Act("sent-back-by-region", deciding.region_sends_back),
        Act("site-sees-why", deciding.site_sees_why),
        Act("passed-again", deciding.site_passes_it),
        _APPROVED,
    ),
    "second-reviewer": (
        _PASSED,
        Act("rejection-proposed", deciding.region_proposes_rejection),
        Act("same-reviewer-refused", deciding.proposer_may_not_agree),
        Act("second-reviewer-agreed", deciding.second_reviewer_agrees),
    ),
    "disqualify": (
        Act("false-material-recorded", deciding.false_material_is_recorded),
        Act("disqualification-recommended", deciding.site_recommends_disqualification),
        Act("disqualified-by-region", deciding.region_disqualifies),
        Act("opinion-hidden-before-publication", publishing.opinion_is_hidden),
    ),
    "withdraw": (
        Act("withdrawn-under-the-claim", deciding.withdrawal_ends_the_claim),
        Act("submitted-again", submitting.application_is_submitted_again),
        Act("back-in-the-queue", deciding.handed_in_again_is_in_the_queue),
    ),
    "publish": (
        _PASSED,
        Act("refused-while-unfinished", releasing.publishing_is_refused_while_unfinished),
        _APPROVED,
        Act("published", releasing.region_publishes_all),
        Act("hidden-before-its-time", releasing.nothing_shows_before_its_time),
        Act("shown-at-its-time", releasing.opinion_shows_at_its_time),
        Act("publication-sms-received", publishing.publication_sms_is_received),
        Act("published-stays", releasing.published_stays_as_it_is),
        Act("progress-and-export", releasing.progress_is_seen),
        Act("acts-on-record", releasing.acts_are_on_record),
        Act("audit-chain-holds", releasing.audit_chain_holds),
    ),
}
# What is different in the rules of a story's region.
_RULES: Mapping[str, Mapping[str, object]] = {"second-reviewer": {"second_reviewer_on_rejection": True}}


def story_names() -> list[str]:
    """What `--story` takes."""
    return [*_ACTS, ALL]


def stories_of(name: str, pack_id: str, environment: Mapping[str, str]) -> list[tuple[str, Story]]:
    """One story, or all of them in order, each with its name."""
    names = list(_ACTS) if name == ALL else [name]
    return [(each, _story(each, pack_id, environment)) for each in names]


def _story(name: str, pack_id: str, environment: Mapping[str, str]) -> Story:
    return Story(environment, _cast(name, pack_id, environment), [*_ARRIVAL, *_ACTS[name]])


def _cast(name: str, pack_id: str, environment: Mapping[str, str]) -> Cast:
    rules = {"second_reviewer_on_rejection": False} | dict(_RULES.get(name, {}))
    return make_cast(pack_id, Facts(), now=now_in(environment), rules=rules)
