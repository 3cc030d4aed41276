"""The delivery API as a contract between nodes: ``contracts/openapi/delivery.yaml``.

``python -m sharing.delivery.contract <file>`` writes it; a test keeps the committed one in step.
"""

import sys
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI

from kernel.app import VERSION, add_flat
from kernel.openapi import describe_api
from sharing.delivery.endpoints import router

SCHEME = "grantToken"
_SCHEME: dict[str, Any] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": (
        "使用系统以申请时登记的公钥所对应的私钥签名（ES256 或 EdDSA），每次调用一个新令牌。"
        " Signed by the using system with the key that its request named (ES256 or EdDSA):"
        " iss = system_id, sub = grant_id, aud = yiwang:<source node>, exp within five minutes"
        " (a parameter of the rule set), jti used once."
    ),
}
_INFO = (
    "共享授权的数据获取接口：行分页或整份 CSV，仅含授权信息项。"
    " How the using system of a grant fetches data from the providing node. The grant is looked up"
    " at every page; a revoked or expired one delivers nothing more."
)


def document() -> dict[str, Any]:
    """Return the OpenAPI document of the delivery API alone."""
    app = FastAPI(title="Yiwang delivery", version=VERSION)
    add_flat(app, router, "/sharing/v1")
    found = describe_api(app, issuer="", tags=[])
    found["info"]["description"] = _INFO
    found["components"]["securitySchemes"] = {SCHEME: _SCHEME}
    for operations in found["paths"].values():
        for operation in operations.values():
            operation["security"] = [{SCHEME: []}]
    return found


def text() -> str:
    """Return the document as YAML."""
    return yaml.safe_dump(document(), allow_unicode=True, sort_keys=False, width=100)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
