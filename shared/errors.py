"""Why a rule said no, in words. Rules raise meaning; only `shared.problems` knows status codes."""


class Refusal(Exception):
    """A rule said no.

    Attributes:
        code: the rule's stable name, such as `item-locked`.
        zh: what happened and what to do, for the person (Chinese).
        en: the same in English.
        extra: further members for the problem document; never personal data.
    """

    def __init__(self, code: str, zh: str, en: str, **extra: object) -> None:
        super().__init__(f"{code}: {en}")
        self.code = code
        self.zh = zh
        self.en = en
        self.extra = extra


class BadRequest(Refusal):
    """The request itself is malformed."""


class NotFound(Refusal):
    """It does not exist, or not for the one who asks."""


class Conflict(Refusal):
    """It cannot be done in the present state."""


class Invalid(Refusal):
    """What was sent is understood, but breaks a rule."""


class Forbidden(Refusal):
    """The one who asks is known and may not."""


class Unauthenticated(Refusal):
    """Nobody is logged in, or no longer."""


class TooLarge(Refusal):
    """More bytes than are taken."""


class UnsupportedType(Refusal):
    """Not a kind of file that is taken."""


class TooManyRequests(Refusal):
    """Asked too often; `retry_after_s` in `extra` says when to come back."""


class RequestTimedOut(Refusal):
    """The sender stopped sending in the middle."""


class Unavailable(Refusal):
    """A part that is needed does not answer now; the same request may be sent again."""


class Transient(Exception):
    """An outside part failed in a way that passes: trying again is right, giving up is not."""
