"""The consumer groups there are; beside the topics, but without a Kafka client: commands only need the names."""

GROUPS: dict[str, str] = {
    "upload": "upload",
    "validation": "validation",
    "validation-photos": "validation",
    "validation-reading": "validation",
    "review": "review",
    "notify": "notify",
}
"""Consumer groups, each with the service that plays it; each has dead letters."""
