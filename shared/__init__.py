"""What two services must not do differently: contracts, messaging, storage, security, problems, telemetry.

It knows no service, holds no business rule and no service's table.
"""
