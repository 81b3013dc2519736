"""What a worker process can be asked to do. Each job takes a file and gives JSON, and bytes where it makes a file."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

Job = Callable[[bytes, dict[str, Any]], tuple[dict[str, Any], bytes]]


def _look(body: bytes, params: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    from services.validation.decoding import look

    seen = look(
        body,
        params["sha256"],
        params["content_type"],
        params.get("kind", "document"),
        frozenset(params.get("stricter", ())),
    )
    check = seen.check
    return {
        "verdict": check.verdict,
        "reason": check.reason,
        "findings": [finding.model_dump(mode="json") for finding in check.findings],
        "metrics": check.metrics,
        "fingerprint": None if seen.fingerprint is None else base64.b64encode(seen.fingerprint).decode(),
    }, b""


def _portrait(body: bytes, params: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    from services.validation.portraits.checking import check_portrait
    from shared.contracts.rules import PhotoRule

    portrait = check_portrait(body, params["content_type"], PhotoRule.model_validate(params["rule"]), params["room"])
    return {
        "verdict": portrait.verdict,
        "findings": [finding.model_dump(mode="json") for finding in portrait.findings],
        "metrics": portrait.metrics,
    }, portrait.picture or b""


def _read(body: bytes, params: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    from services.validation.reading.reader import read

    found = read(body, params["content_type"], tuple(params["wanted"]))
    return {"texts": [text.model_dump(mode="json") for text in found.texts], "mirrored": found.mirrored}, b""


JOBS: dict[str, Job] = {"look": _look, "portrait": _portrait, "read": _read}


_PARAMS: dict[str, dict[str, Any]] = {
    "look": {},
    "portrait": {"rule": {}, "room": 700},
    "read": {"wanted": ["name"]},
}


def warm(job: str) -> None:
    """Load all that the job needs by doing it once: the first file then does not pay for it."""
    import cv2
    import numpy as np

    page = np.full((600, 800, 3), 255, np.uint8)
    for line in range(8):
        cv2.putText(page, "warm 0123456789", (40, 70 + line * 60), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (0, 0, 0), 3)
    for kind, content_type in ((".jpg", "image/jpeg"), (".png", "image/png")):
        body = cv2.imencode(kind, page)[1].tobytes()
        about = {"sha256": hashlib.sha256(body).hexdigest(), "content_type": content_type}
        JOBS[job](body, about | _PARAMS[job])
