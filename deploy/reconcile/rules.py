"""What must be true once everything has settled; each rule counts what it looked at and names what breaks it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from deploy.reconcile.sources import Seen
from services.upload.domain import STATUS_OF
from shared.contracts.validation import Verdict

_SHOWN = 5
# What is older than the topics' 30 days is rightly gone from them.
_RETAINED = timedelta(days=29)


@dataclass
class Finding:
    """One rule: how many were looked at, and the ids of those that break it (application numbers or uuids)."""

    rule: str
    looked_at: int
    broken: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True when nothing breaks it."""
        return not self.broken

    def some(self) -> str:
        """The first few."""
        more = f" … {len(self.broken)} in all" if len(self.broken) > _SHOWN else ""
        return ", ".join(self.broken[:_SHOWN]) + more


def is_settled(seen: Seen) -> bool:
    """Is nothing under way?"""
    return _settled(seen).ok


def reconcile(seen: Seen, *, expected_dead: int = 0) -> list[Finding]:
    """All rules.

    Args:
        seen: what was read.
        expected_dead: dead letters that were put there on purpose.
    """
    return [
        _settled(seen),
        _dead_letters(seen, expected_dead),
        _objects(seen),
        _photo_objects(seen),
        _registration_photos(seen),
        _photo_answers(seen),
        _told(seen),
        _checked(seen),
        _shown(seen),
        _submissions(seen),
        _feedback(seen),
        _notices(seen),
        _opinions(seen),
        _registrations(seen),
        _rules_known(seen),
        _ended(seen),
        _warnings(seen),
    ]


def _settled(seen: Seen) -> Finding:
    broken = [f"{service}: {rows['outbox'][0]['count']} rows in the outbox" for service, rows in seen.rows.items()
              if rows["outbox"][0]["count"]]  # fmt: skip
    broken += [f"{group}: {behind} records not committed" for group, behind in seen.lag.items() if behind]
    if pending := seen.rows["review"]["acts"][0]["count"]:
        broken.append(f"review: {pending} acts that can still be undone")
    return Finding("nothing is under way", len(seen.rows) + len(seen.lag), broken)


def _dead_letters(seen: Seen, expected: int) -> Finding:
    dead = [
        f"{row['consumer_group']}/{row['topic']}: {row['count']} {row['status']}"
        for rows in seen.rows.values()
        for row in rows["dead"]
    ]
    count = sum(row["count"] for rows in seen.rows.values() for row in rows["dead"])
    broken = [] if count == expected else dead or [f"{expected} expected, none found"]
    return Finding("nothing in the dead letters that was not put there on purpose", count, broken)


def _objects(seen: Seen) -> Finding:
    images = [image for image in seen.rows["upload"]["images"] if image["object_deleted_at"] is None]
    broken = [str(i["image_id"]) for i in images if seen.objects.get(i["object_key"]) != i["size"]]
    return Finding("every accepted image has its object, whole", len(images), broken)


def _photo_objects(seen: Seen) -> Finding:
    """What was sent to be checked, and the photos that came of it: each is there until it is said to be deleted."""
    checks = seen.rows["upload"]["photo_checks"]
    kept = [(c["photo_id"], c["object_key"], c["size"]) for c in checks if c["source_deleted_at"] is None]
    kept += [
        (c["photo_id"], c["photo_key"], c["photo_size"])
        for c in checks
        if c["photo_key"] is not None and c["photo_deleted_at"] is None
    ]
    broken = [str(photo_id) for photo_id, key, size in kept if seen.objects.get(key) != size]
    return Finding("every portrait and every finished photo has its object, whole", len(kept), broken)


def _registration_photos(seen: Seen) -> Finding:
    photos = seen.rows["upload"]["registration_photos"]
    broken = [
        photo["application_no"] for photo in photos if seen.photo_hashes.get(photo["object_key"]) != photo["sha256"]
    ]
    return Finding("every registration photo lies there byte for byte", len(photos), broken)


def _photo_answers(seen: Seen) -> Finding:
    checks = seen.rows["upload"]["photo_checks"]
    broken = [str(check["photo_id"]) for check in checks if check["status"] == "checking"]
    return Finding("every photo check has its answer", len(checks), broken)


def _told(seen: Seen) -> Finding:
    since = _since(seen)
    rows = {str(image["image_id"]): image for image in seen.rows["upload"]["images"]}
    broken = [f"{i} (not told)" for i, row in rows.items() if row["uploaded_at"] > since and i not in seen.told_images]
    broken += [f"{image_id} (told, no row)" for image_id in seen.told_images - rows.keys()]
    return Finding("every accepted image was told, and no other", len(rows), broken)


def _checked(seen: Seen) -> Finding:
    checks = Counter(str(check["image_id"]) for check in seen.rows["validation"]["checks"])
    images = [i for i in seen.rows["upload"]["images"] if i["removed_at"] is None]
    broken = [str(i["image_id"]) for i in images if checks[str(i["image_id"])] != 1]
    return Finding("every image has exactly one final check", len(images), broken)


def _shown(seen: Seen) -> Finding:
    verdicts = {str(check["image_id"]): check for check in seen.rows["validation"]["checks"]}
    images = [i for i in seen.rows["upload"]["images"] if i["removed_at"] is None]
    broken = []
    for image in images:
        check = verdicts.get(str(image["image_id"]))
        if check is None or image["status"] not in _shown_for(check["verdict"]):
            broken.append(str(image["image_id"]))
    return Finding("the candidate sees what validation found", len(images), broken)


def _shown_for(verdict: Verdict) -> set[str]:
    status: str = STATUS_OF[verdict].value
    # A candidate may hand in what was rejected for its quality, after confirming a warning.
    return {status, "confirmed"} if verdict == "reject" else {status}


def _submissions(seen: Seen) -> Finding:
    reviews = {row["application_no"]: row for row in seen.rows["review"]["reviews"]}
    submitted = [row for row in seen.rows["upload"]["applications"] if row["round"] > 0]
    # What crossed a publication on its way is only listed for the region: the revision stays that of the opinion.
    broken = [
        row["application_no"]
        for row in submitted
        if (review := reviews.get(row["application_no"])) is None
        or (row["state"] == "submitted" and review["revision"] != row["revision"] and review["published_at"] is None)
    ]
    return Finding("review has every submission, in its newest revision", len(submitted), broken)


def _feedback(seen: Seen) -> Finding:
    kept = {str(row["feedback_id"]): row for row in seen.rows["upload"]["feedback"] if row["tier"] != "system"}
    overtaken = {
        feedback_id
        for feedback_id, told in seen.told_feedback.items()
        if (told.application_no, told.round) in seen.reopened
    }
    broken = [f"{i} (told, not shown)" for i in seen.told_feedback.keys() - kept.keys() - overtaken]
    since = _since(seen)
    broken += [f"{i} (shown, not told)" for i, row in kept.items() if row["at"] > since and i not in seen.told_feedback]
    return Finding("every feedback is on its candidate's page, once", len(seen.told_feedback), broken)


def _notices(seen: Seen) -> Finding:
    return _noticed(
        "every feedback has exactly one in-app notice",
        seen,
        ("review.feedback.v1", "review.published.v1", "application.reopened.v1"),
    )


def _warnings(seen: Seen) -> Finding:
    return _noticed(
        "every withdrawal, warning and lapse has exactly one in-app notice",
        seen,
        ("application.withdrawn.v1", "application.deadline_near.v1", "application.lapsed.v1"),
    )


def _noticed(rule: str, seen: Seen, topics: Sequence[str]) -> Finding:
    notices = Counter(str(row["event_id"]) for row in seen.rows["notify"]["notices"])
    events = [event_id for topic in topics for event_id in seen.told[topic]]
    return Finding(rule, len(events), [event_id for event_id in events if notices[event_id] != 1])


def _opinions(seen: Seen) -> Finding:
    published = [row for row in seen.rows["review"]["reviews"] if row["told"]]
    opinions = {row["application_no"]: row["opinion"] for row in seen.rows["upload"]["applications"]}
    broken = [r["application_no"] for r in published if opinions.get(r["application_no"]) != r["opinion"]]
    return Finding("every published opinion has reached upload", len(published), broken)


def _registrations(seen: Seen) -> Finding:
    applications = seen.rows["upload"]["applications"]
    broken = []
    for service in ("review", "notify"):
        known = {row["application_no"]: row["registration_revision"] for row in seen.rows[service]["registrations"]}
        broken += [
            f"{row['application_no']} ({service})"
            for row in applications
            if known.get(row["application_no"]) != row["registration_revision"]
        ]
    return Finding("every service has the newest registration", len(applications), broken)


def _rules_known(seen: Seen) -> Finding:
    """A submission is bound to a version: nobody may judge it by another one, or without its texts."""
    reviewed = {row["application_no"]: (row["pack_id"], row["pack_version"]) for row in seen.rows["review"]["reviews"]}
    known = [
        {(row["pack_id"], row["version"]) for row in seen.rows[service]["packs"]}
        for service in ("upload", "review", "notify")
    ]
    submitted = [row for row in seen.rows["upload"]["applications"] if row["round"] > 0]
    broken = []
    for row in submitted:
        bound = (row["pack_id"], row["pack_version"])
        if not all(bound in packs for packs in known) or reviewed.get(row["application_no"], bound) != bound:
            broken.append(row["application_no"])
    return Finding("every service knows the rules that a submission is bound to", len(submitted), broken)


def _ended(seen: Seen) -> Finding:
    """What candidates took back, or let pass, is out of the queues; after publication nothing changes any more."""
    reviews = {row["application_no"]: row for row in seen.rows["review"]["reviews"]}
    ended = [
        row
        for row in seen.rows["upload"]["applications"]
        if row["state"] in {"withdrawn", "lapsed"} and row["application_no"] in reviews
    ]
    broken = []
    for row in ended:
        review = reviews[row["application_no"]]
        if review["published_at"] is None and review["state"] != row["state"]:
            broken.append(row["application_no"])
    return Finding("what was withdrawn or has lapsed is out of review", len(ended), broken)


def _since(seen: Seen) -> datetime:
    return datetime.now(UTC) + seen.shift - _RETAINED
