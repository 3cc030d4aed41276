"""The routes that every service has."""

from typing import TYPE_CHECKING

from kernel import attachment_routes, audit_routes, deadletter_routes
from kernel.bus_parts import make_consumer
from kernel.local import door

if TYPE_CHECKING:
    from fastapi import APIRouter

    from kernel.runtime import ServiceDefinition


def kernel_routers(service: "ServiceDefinition") -> "tuple[APIRouter, ...]":
    """Return the kernel's routers below ``/<service>/v1``."""
    return attachment_routes.router, audit_routes.router, deadletter_routes.make_router(service)


def internal_door(service: "ServiceDefinition") -> "APIRouter":
    """Return the siblings' door below ``/<service>``; it needs the service token."""
    return door(make_consumer(service).process, service.runtime.service_token)
