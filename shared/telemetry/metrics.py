"""Every metric there is, by name and meaning."""

from prometheus_client import Counter, Gauge, Histogram

HEARD = Counter("baoshen_events_heard_total", "Events whose handler finished.", ["group", "topic"])
BATCH_SECONDS = Histogram(
    "baoshen_batch_seconds",
    "Time from taking a batch to being ready to commit its offsets.",
    ["group", "topic"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
RETRIES = Counter("baoshen_batch_retries_total", "Tries after a failure.", ["group", "kind"])
DEAD = Counter("baoshen_dead_letters_total", "Records put into the dead letters.", ["group"])
PARKED = Counter("baoshen_parked_total", "Records parked behind a dead letter.", ["group"])
REPLAYED = Counter("baoshen_replayed_total", "Dead and parked records that were replayed.", ["group"])
DEAD_WAITING = Gauge("baoshen_dead_letters_waiting", "Dead and parked records that wait for an operator.", ["group"])
LAG = Gauge("baoshen_consumer_lag", "Records that a group has not committed yet.", ["group", "topic"])
LAST_POLL_AGE = Gauge(
    "baoshen_last_batch_age_seconds", "Seconds since a group's consumer last took records.", ["group"]
)
RELAYED = Counter("baoshen_relayed_total", "Outbox rows that Kafka acknowledged.", ["service"])
RELAY_LEADING = Gauge("baoshen_relay_leading", "1 in the process that leads the relay.", ["service"])
OUTBOX_ROWS = Gauge("baoshen_outbox_rows", "Rows that wait in the outbox.", ["service"])
OUTBOX_OLDEST = Gauge("baoshen_outbox_oldest_seconds", "Age of the oldest row in the outbox.", ["service"])
REQUESTS = Histogram(
    "baoshen_http_request_seconds",
    "HTTP requests by route and status.",
    ["service", "method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IMAGES_CHECKED = Counter("baoshen_images_checked_total", "Images looked at.", ["verdict"])
IMAGES_READ = Counter("baoshen_images_read_total", "Images of which text was read.", ["outcome"])
PHOTOS_CHECKED = Counter("baoshen_photos_checked_total", "Portraits checked.", ["verdict"])
WORKERS_ENDED = Counter("baoshen_workers_ended_total", "Worker processes that died or hung over a file.", ["job"])
IMAGES_WAITING_ALONE = Gauge("baoshen_images_waiting_alone", "Images whose second try, alone, is still to come.")
REVIEW_OVERDUE = Gauge("baoshen_review_overdue", "Applications that wait longer than their rules allow.", ["tier"])
REVIEW_OLDEST_WAITING = Gauge(
    "baoshen_review_oldest_waiting_seconds", "Since the oldest that waits at a tier was handed in.", ["tier"]
)
SMS = Counter("baoshen_sms_total", "Attempts to send an SMS.", ["outcome"])
AUDIT_SEALED = Counter("baoshen_audit_sealed_total", "Audit lines that were chained and signed.")
AUDIT_UNSEALED_AGE = Gauge("baoshen_audit_unsealed_seconds", "Age of the oldest audit line that is not sealed yet.")
