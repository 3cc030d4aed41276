"""The routes that every service has."""

from typing import TYPE_CHECKING

from kernel import attachment_routes, audit_routes

if TYPE_CHECKING:
    from fastapi import APIRouter

    from kernel.runtime import ServiceDefinition


def kernel_routers(service: "ServiceDefinition") -> "tuple[APIRouter, ...]":
    """Return the kernel's routers below ``/<service>/v1``."""
    del service
    return attachment_routes.router, audit_routes.router
