"""Changing the phone number with a code by SMS."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.upload.account_shapes import CodeEntered, CodeSent, NewPhone, PhoneChanged
from services.upload.api.edge import AtEdge, Candidate
from services.upload.use_cases import phones
from shared.errors import BadRequest
from shared.idempotency import Answer, IdempotencyKey, fingerprint, once
from shared.problems import described
from shared.security.masking import mask_phone

router = APIRouter(prefix="/candidate/phone", tags=["session"], responses=described(400, 401, 403, 409, 422, 429, 503))


@router.post("/codes", status_code=202, response_model=CodeSent)
async def request_code(body: NewPhone, candidate: Candidate, edge: AtEdge, key: IdempotencyKey) -> JSONResponse:
    """Have a code of six digits sent to the new phone: ten minutes, five tries; one a minute, five a day."""

    async def work() -> Answer:
        code_id, expires_at = await phones.request_code(session, edge.contacts, candidate.subject, body.phone)
        pause = int(phones.PAUSE.total_seconds())
        return Answer(202, {"code_id": str(code_id), "expires_at": expires_at.isoformat(), "retry_after_s": pause})

    # A plain hash of eleven digits would tell them.
    request = fingerprint(f"phone/codes/{edge.contacts.hash_of(body.phone).hex()}")
    async with edge.sessions.begin() as session:
        answer = await once(session, candidate.subject, key, request, work)
    return answer.response()


@router.put("")
async def change_phone(body: CodeEntered, candidate: Candidate, edge: AtEdge) -> PhoneChanged:
    """Enter the code: messages go to the new phone from now on."""
    async with edge.sessions.begin() as session:
        outcome = await phones.change_phone(session, edge.contacts, candidate.subject, body.code_id, body.code)
    if isinstance(outcome, BadRequest):
        raise outcome
    return PhoneChanged(phone_masked=mask_phone(outcome))
