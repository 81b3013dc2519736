"""The one place where notify is put together."""

from services.notify import api, consumers
from services.notify.codes import CodeSender
from services.notify.sending import Sender
from services.notify.settings import Settings
from services.notify.sms import HttpGatewayProvider
from shared.security.identity import IdentityChecker
from shared.security.sealing import KeyRing
from shared.service import Service

# A candidate who waits beside the telephone should not notice the pause.
SEND_EVERY_S = 0.5
SEND_CODES_EVERY_S = 0.2


def build(settings: Settings) -> Service:
    """A notify process, ready to run."""
    key_ring = KeyRing(settings.master_keys, settings.data_keys_file)
    service = Service(
        "notify",
        settings,
        settings.database_url,
        routers=[consumers.make_router()],
        description="The candidate's inbox; SMS go out from here too.",
        sealer=key_ring,
    )
    service.provide()
    provider = HttpGatewayProvider(settings.sms_gateway_url)
    service.opens(provider)
    sender = Sender(service.sessions, key_ring, provider)
    service.chore(sender.send_due, every_s=SEND_EVERY_S)
    service.chore(sender.show_due, every_s=SEND_EVERY_S)
    service.chore(CodeSender(service.sessions, key_ring, provider).send_due, every_s=SEND_CODES_EVERY_S)
    # Upload speaks for candidates; whom another service speaks for has no inbox here.
    identities = IdentityChecker("notify", {"upload": settings.upload_identity_public_key})
    service.app.state.edge = api.Edge(service.sessions, identities)
    service.app.include_router(api.router)
    return service


if __name__ == "__main__":
    settings = Settings()
    build(settings).run(settings.port)
