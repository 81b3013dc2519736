"""Review's tables, and how `Review` is mapped on its own."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator

from services.review.audit_tables import audit_tables
from services.review.domain import Review, State
from shared.idempotency import idempotency_table
from shared.messaging.tables import messaging_tables
from shared.security.attempts import attempts_table
from shared.security.sessions import session_table

metadata = MetaData()
messaging_tables(metadata)
idempotency_table(metadata)
session_table(metadata).append_column(
    # How the person was known: password, code, recovery_code, provider.
    Column("through", Text, nullable=False, server_default="password")
)
attempts_table(metadata)
audit_tables(metadata)


class StateText(TypeDecorator[State]):
    """A state as text: a new one needs no migration."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: State | None, _dialect: object) -> str | None:
        """To the database."""
        return None if value is None else State(value).value

    def process_result_value(self, value: str | None, _dialect: object) -> State | None:
        """From the database."""
        return None if value is None else State(value)


staff = Table(
    "staff",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("region", Text, nullable=True),  # null for the nation's own staff
    Column("site", Text, nullable=True),  # null for the region's own staff
    Column("password_hash", Text, nullable=True),  # null for those who come through an identity provider only
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # The second factor's secret, sealed, since a first code was right.
    Column("totp_key_id", Text, nullable=True),
    Column("totp_sealed", LargeBinary, nullable=True),
    Column("totp_confirmed_at", DateTime(timezone=True), nullable=True),
    Column("totp_last_step", BigInteger, nullable=True),  # a code is good once
    # Who the identity provider says it is: the pair, since a subject is only unique with its issuer.
    Column("oidc_issuer", Text, nullable=True),
    Column("oidc_subject", Text, nullable=True),
    CheckConstraint("role <> 'site_reviewer' OR site IS NOT NULL", name="staff_site_reviewer_has_site"),
    CheckConstraint("site IS NULL OR region IS NOT NULL", name="staff_site_is_in_a_region"),
    Index("staff_oidc", "oidc_issuer", "oidc_subject", unique=True),
    Index("staff_of_region", "region", "login"),
)

# A second factor in the making: the one before counts until a code of the new one was right.
enrolments = Table(
    "enrolments",
    metadata,
    Column("staff_id", Uuid, ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("begun_at", DateTime(timezone=True), nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("staff_id", Uuid, ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True),
    Column("code_hash", LargeBinary, primary_key=True),
    Column("used_at", DateTime(timezone=True), nullable=True),
)

packs = Table(
    "packs",
    metadata,
    Column("pack_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("content", JSONB, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False, server_default="{}"),  # their order, which JSONB does not keep
    Column("published_at", DateTime(timezone=True), nullable=False),
)

# A row per number ever heard of, whichever topic came first: what those who hear of an application lock.
applications = Table(
    "applications",
    metadata,
    Column("application_no", Text, primary_key=True),
    Column("registration_revision", Integer, nullable=False, server_default="0"),
    Column("facts", JSONB(none_as_null=True), nullable=True),  # null: the registration was not heard yet
    Column("sealed", JSONB(none_as_null=True), nullable=True),
    # Keyed hashes, for finding a candidate by what is only kept sealed; empty where it can't be opened.
    Column("id_number_hash", LargeBinary, nullable=True),
    Column("name_hash", LargeBinary, nullable=True),
    # The newest reopening, withdrawal or lapse heard, for a submission that comes after it.
    Column("reopened_revision", Integer, nullable=False, server_default="0"),
    Column("reopened_as", StateText, nullable=True),
    # With the number, so that namesakes are read in the order of the list.
    *(
        Index(f"applications_{name}", name, "application_no", postgresql_where=text(f"{name} IS NOT NULL"))
        for name in ("id_number_hash", "name_hash")
    ),
    Index(
        "applications_to_hash",
        "application_no",
        postgresql_where=text("sealed IS NOT NULL AND id_number_hash IS NULL"),
    ),
)

# Given back three times and still not through, or not handed in again in time.
ATTENTION = "(returns >= 3 AND state NOT IN ('decided', 'withdrawn', 'lapsed')) OR (returns > 0 AND state = 'lapsed')"

reviews = Table(
    "reviews",
    metadata,
    Column("application_no", Text, primary_key=True),
    Column("region", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("pack_id", Text, nullable=False),
    Column("pack_version", Integer, nullable=False),
    Column("route", Text, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("round", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("submitted_at", DateTime(timezone=True), nullable=False),
    Column("changed_items", ARRAY(Text), nullable=False),
    Column("required_items", ARRAY(Text), nullable=False, server_default="{}"),
    Column("uploads", Boolean, nullable=False, server_default=text("true")),
    Column("state", StateText, nullable=False),
    Column("tier", Text, nullable=False),
    Column("passed_revision", Integer, nullable=False, server_default="0"),
    Column("claimed_by", Uuid, nullable=True),
    Column("claimed_until", DateTime(timezone=True), nullable=True),
    Column("opinion", Text, nullable=True),
    Column("published_at", DateTime(timezone=True), nullable=True),
    # The registration photo of the last submission; null until a candidate has one.
    Column("photo_key", Text, nullable=True),
    Column("photo_sha256", Text, nullable=True),
    Column("photo_size", Integer, nullable=True),
    Column("photo_accepted_at", DateTime(timezone=True), nullable=True),
    # Which queue of its tier it waits in; null where it does not wait (with the candidate, decided, an act pending).
    Column("queue", Text, nullable=True),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=text("'9999-01-01 00:00:00+00'")),
    Column("returns", Integer, nullable=False, server_default="0"),
    Column("escalated_at", DateTime(timezone=True), nullable=True),
    # What the automatic check said of the present images, for the filter and the count in lists.
    Column("findings", ARRAY(Text), nullable=False, server_default="{}"),
    Column("category", Text, Computed("facts ->> 'category'", persisted=True)),
    Column("education", Text, Computed("facts ->> 'education'", persisted=True)),
    # A site can't reject: it recommends.
    Column("recommended_opinion", Text, nullable=True),
    Column("recommended_words", Text, nullable=True),
    Column("recommended_by", Uuid, nullable=True),
    # A rejection that waits for a second reviewer.
    Column("proposed_opinion", Text, nullable=True),
    Column("proposed_words", Text, nullable=True),
    Column("proposed_by", Uuid, nullable=True),
    # An act that may still be undone: `acts` has it.
    Column("act_id", Uuid, nullable=True),
    Column("publication_id", Uuid, nullable=True),
    # Queues: equality on scope, tier and queue, then the order of the list, so that a page costs the same at any size.
    *(
        Index(
            f"reviews_queue_{name}",
            *columns,
            "tier",
            "queue",
            "due_at",
            "submitted_at",
            "application_no",
            postgresql_where=text("queue IS NOT NULL"),
            postgresql_include=["region"] if name == "site" else None,
        )
        for name, columns in {
            "site": ("site",),
            "site_category": ("site", "category"),
            "site_education": ("site", "education"),
            "region": ("region",),
            "region_category": ("region", "category"),
            "region_education": ("region", "education"),
            "nation": (),
        }.items()
    ),
    Index("reviews_to_escalate", "due_at", postgresql_where=text("queue IS NOT NULL AND escalated_at IS NULL")),
    Index("reviews_attention", "region", "submitted_at", "application_no", postgresql_where=text(ATTENTION)),
    Index("reviews_attention_nation", "submitted_at", "application_no", postgresql_where=text(ATTENTION)),
    # Other lists: equality on scope and state, then the order of the list, so that a page costs the same at any size.
    # A site's code may be another region's too, and what is counted is counted in the index.
    Index("reviews_of_site", "site", "state", "submitted_at", "application_no", postgresql_include=["region"]),
    Index("reviews_of_region", "region", "state", "submitted_at", "application_no"),
    Index("reviews_of_nation", "state", "submitted_at", "application_no"),
    Index(
        "reviews_claimed",
        "claimed_by",
        "submitted_at",
        "application_no",
        postgresql_where=text("claimed_by IS NOT NULL"),
    ),
    Index(
        "reviews_unfinished",
        "region",
        "year",
        postgresql_where=text("state NOT IN ('decided', 'withdrawn', 'lapsed')"),
    ),
    Index(
        "reviews_to_publish",
        "region",
        "year",
        "application_no",
        postgresql_where=text("state = 'decided' AND published_at IS NULL"),
    ),
    # Figures of a year without reading its rows, and exports in the order of the numbers.
    Index(
        "reviews_of_year",
        "region",
        "year",
        "application_no",
        postgresql_include=["site", "state", "tier", "submitted_at", "due_at", "returns"],
    ),
    Index("reviews_with_findings", "region", "year", "submitted_at", postgresql_where=text("findings <> '{}'")),
)

# Every image that was ever handed in; current are those of the review's round.
images = Table(
    "images",
    metadata,
    Column("application_no", Text, ForeignKey("reviews.application_no"), primary_key=True),
    Column("image_id", Uuid, primary_key=True),
    Column("item", Text, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("uploaded_at", DateTime(timezone=True), nullable=False),
    Column("verdict", Text, nullable=False),  # what upload knew when it was handed in
    Column("confirmed", Boolean, nullable=False, server_default=text("false")),
    Column("first_round", Integer, nullable=False),
    Column("last_round", Integer, nullable=False),
    Column("replaced_round", Integer, nullable=True),  # the first round that came without it
    Column("replaced_at", DateTime(timezone=True), nullable=True),
)

# Verdicts come before the submission as often as after it: they wait here, by image.
checks = Table(
    "checks",
    metadata,
    Column("image_id", Uuid, primary_key=True),
    Column("application_no", Text, nullable=False),
    Column("check_no", Integer, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("findings", JSONB, nullable=False),
    Column("checked_at", DateTime(timezone=True), nullable=False),
)

# Advice about an image, before its submission as often as after it. `reading` stays sealed until somebody looks.
readings = Table(
    "readings",
    metadata,
    Column("image_id", Uuid, primary_key=True),
    Column("about", Text, primary_key=True),  # `reading` or `copies`
    Column("application_no", Text, nullable=False),
    Column("read_no", Integer, nullable=False),
    Column("wanted", JSONB, nullable=False),
    Column("sealed", JSONB(none_as_null=True), nullable=True),
    Column("mirrored", Boolean, nullable=True),
    Column("copies", JSONB, nullable=False),
    Column("read_at", DateTime(timezone=True), nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("application_no", Text, ForeignKey("reviews.application_no"), primary_key=True),
    Column("tier", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("mark", Text, nullable=False),
    Column("reason_code", Text, nullable=True),
    Column("words", Text, nullable=True),
    Column("image_ids", ARRAY(Uuid), nullable=False),
    Column("same_images_allowed", Boolean, nullable=False, server_default=text("false")),
    Column("marked_by", Uuid, ForeignKey("staff.id"), nullable=False),
    Column("marked_at", DateTime(timezone=True), nullable=False),
)

# What staff did to an application as a whole, until it is told: for a few seconds it may be undone.
acts = Table(
    "acts",
    metadata,
    Column("act_id", Uuid, primary_key=True),
    Column("application_no", Text, ForeignKey("reviews.application_no"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("staff_id", Uuid, ForeignKey("staff.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("before", JSONB, nullable=False),  # what undoing it restores
    Column("topic", Text, nullable=True),  # null where nothing is told (a proposal)
    Column("event", JSONB, nullable=True),
    Column("ended", Text, nullable=True),  # told, undone, or void: a newer revision overtook it
    Column("ended_at", DateTime(timezone=True), nullable=True),
    Index("acts_pending", "due_at", postgresql_where=text("ended IS NULL")),
    Index("acts_of_application", "application_no", "made_at"),
)

# False material (违纪违规): recorded once, never taken off.
false_materials = Table(
    "false_materials",
    metadata,
    Column("record_id", Uuid, primary_key=True),
    Column("application_no", Text, ForeignKey("reviews.application_no"), nullable=False),
    Column("item", Text, nullable=True),
    Column("image_ids", ARRAY(Uuid), nullable=False),
    Column("words", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("recorded_by", Uuid, ForeignKey("staff.id"), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Index("false_materials_of_application", "application_no", "recorded_at"),
)

publications = Table(
    "publications",
    metadata,
    Column("publication_id", Uuid, primary_key=True),
    Column("region", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("supplementary", Boolean, nullable=False, server_default=text("false")),
    Column("published_by", Uuid, ForeignKey("staff.id"), nullable=False),
    Column("published_at", DateTime(timezone=True), nullable=False),
    Column("effective_at", DateTime(timezone=True), nullable=False),
    Column("applications", Integer, nullable=False),
    Column("told", Integer, nullable=False, server_default="0"),
    Column("told_up_to", Text, nullable=False, server_default=""),  # the cursor: chunks go in number order
    Column("finished_at", DateTime(timezone=True), nullable=True),
    Index("publications_of_region", "region", "year"),
    Index("publications_running", "published_at", postgresql_where=text("finished_at IS NULL")),
)

# What a publication releases, fixed when it begins.
publication_lines = Table(
    "publication_lines",
    metadata,
    Column("publication_id", Uuid, ForeignKey("publications.publication_id"), primary_key=True),
    Column("application_no", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("opinion", Text, nullable=False),
    Column("words", Text, nullable=False),
    Index("publication_lines_of_application", "application_no"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", Uuid, primary_key=True),
    Column("application_no", Text, ForeignKey("reviews.application_no"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("opinion", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("decided_by", Uuid, ForeignKey("staff.id"), nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Column("voided_at", DateTime(timezone=True), nullable=True),  # a higher revision was handed in, or reopened
    Column("publication_id", Uuid, ForeignKey("publications.publication_id"), nullable=True),
    Index("decisions_standing", "application_no", unique=True, postgresql_where=text("voided_at IS NULL")),
    Index("decisions_of_publication", "publication_id"),
)

notices = Table(
    "notices",
    metadata,
    Column("notice_id", Uuid, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("application_no", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("delivered_at", DateTime(timezone=True), nullable=False),
    Index("notices_of_application", "application_no", "delivered_at"),
)

history = Table(
    "history",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("application_no", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("tier", Text, nullable=True),  # null: the candidate's or the system's act
    Column("act", Text, nullable=False),
    Column("staff_id", Uuid, nullable=True),
    Column("round", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("detail", JSONB, nullable=False),
    Index("history_of_application", "application_no", "id"),
    # Figures by day and by person: acts on applications as a whole, of some weeks, without reading their rows.
    Index(
        "history_acts",
        "at",
        postgresql_include=["act", "application_no", "staff_id"],
        postgresql_where=text("act IN ('submitted', 'returned', 'passed', 'decided', 'agreed', 'undone')"),
    ),
)

registry(metadata=metadata).map_imperatively(Review, reviews, exclude_properties=["category", "education"])
