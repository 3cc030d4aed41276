"""A county's catalogue for tests: its agencies, its people, a complete entry."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from catalog.bootstrap import define
from tests.support.http import Caller, NodeFiles, ServedNode, SteadyClock, serving

NODE = "441521"
AUTHORITY, EMERGENCY, HEALTH = "441521-zs", "441521-yj", "441521-wj"
LAW = {
    "level": "law",
    "title": "中华人民共和国个人信息保护法",
    "number": "主席令第九十一号",
    "article": "第三十四条",
}
INTERNAL = {"level": "normative", "title": "海丰县卫生健康局数据管理规定", "article": "第三条"}
AGENCIES = (
    (AUTHORITY, "海丰县政务服务和数据管理局", "data_authority", "11441521XX90212701"),
    (EMERGENCY, "海丰县应急管理局", "administrative_organ", None),
    (HEALTH, "海丰县卫生健康局", "administrative_organ", None),
)


def content(**changed: Any) -> dict[str, Any]:
    """A complete entry of the emergency office; ``changed`` replaces or, with None, removes."""
    fields: dict[str, Any] = {
        "title": "危险化学品经营许可证",
        "abstract": "证书编号、企业名称、法定代表人、注册地址、有效期",
        "keywords": ["危险化学品", "许可"],
        "category_path": "3/07/yj",
        "data_domain": "work_safety",
        "data_form": "table",
        "resource_format": ["database"],
        "collecting_org": EMERGENCY,
        "verifying_org": EMERGENCY,
        "providing_org": EMERGENCY,
        "steward": "数据管理员",
        "contact_name": "办公室",
        "contact_phone": "0660-0000000",
        "region_code": NODE,
        "share_type": "unconditional",
        "share_scope": "all_agencies",
        "share_mode": "platform",
        "share_channel": ["api", "file"],
        "open_attr": "open",
        "update_frequency": "monthly",
        "data_grade": "general",
        "security_level": 1,
        "contains_secret": False,
        "pi_flags": [],
        "pi_declared": True,
        "net_type": "government_extranet",
        "ingest_channel": "file",
        "items": [
            {
                "name_cn": "证书编号",
                "name_en": "licence_no",
                "data_type": "C",
                "length": 60,
                "primary_key": True,
                "nullable": False,
            },
            {"name_cn": "企业名称", "name_en": "company", "data_type": "C", "length": 120},
        ],
    }
    merged = fields | changed
    return {name: value for name, value in merged.items() if value is not None}


POSTS = {
    "reviewer": (("authority_reviewer",), AUTHORITY),
    "approver": (("authority_approver",), AUTHORITY),
    "supervisor": (("authority_supervisor",), AUTHORITY),
    "clerk": (("agency_clerk",), EMERGENCY),
    "steward": (("steward",), EMERGENCY),
    "leader": (("agency_leader",), EMERGENCY),
    "confidentiality": (("confidentiality_reviewer",), EMERGENCY),
    "health_clerk": (("agency_clerk",), HEALTH),
    "health_steward": (("steward",), HEALTH),
    "auditor": (("auditor",), AUTHORITY),
}


@dataclass
class World:
    """The served node, its clock, and people by name."""

    node: ServedNode
    clock: SteadyClock
    people: dict[str, Caller] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Caller:
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    def renew_tokens(self) -> None:
        """Give everybody a token of now; needed after the clock has moved."""
        for name, (roles, organisation) in POSTS.items():
            self.people[name] = self.node.caller(*roles, organisation=organisation, subject=name)

    async def draft(self, **changed: Any) -> dict[str, Any]:
        """Draft an entry; return its detail."""
        health = changed.get("providing_org") == HEALTH
        who = self.people["health_steward" if health else "steward"]
        answer = await who.post("/catalog/v1/entries", content(**changed))
        assert answer.status_code == 201, answer.text
        detail: dict[str, Any] = answer.json()
        return detail

    async def act(
        self, who: str, entry_id: str, act: str, body: Any = None, *, status: int = 200, **more: Any
    ) -> dict[str, Any]:
        """Do an act and check how it is answered."""
        path = f"/catalog/v1/entries/{entry_id}/{act}"
        answer = await self.people[who].post(path, body, **more)
        assert answer.status_code == status, answer.text + self.node.log.getvalue()[-3000:]
        found: dict[str, Any] = answer.json()
        return found

    async def approved(self, **changed: Any) -> str:
        """Bring an entry to approval; return its id."""
        entry_id: str = (await self.draft(**changed))["entry_id"]
        submitter = "health_steward" if changed.get("providing_org") == HEALTH else "steward"
        await self.act(submitter, entry_id, "submit")
        await self.act("reviewer", entry_id, "accept")
        await self.act("approver", entry_id, "approve")
        return entry_id

    async def published(self, **changed: Any) -> dict[str, Any]:
        """Publish an entry; return its detail."""
        return await self.act("approver", await self.approved(**changed), "publish")

    async def events(self, event_type: str) -> list[dict[str, Any]]:
        """Return the payloads of outgoing events of a type, each once, oldest first."""
        rows = await self.node.query(
            "SELECT DISTINCT ON (event_id) id, event_id, topic, key, payload FROM kernel.outbox"
            " WHERE type = :type ORDER BY event_id, id",
            type=event_type,
        )
        rows.sort(key=lambda row: row["id"])
        return [
            {"topic": row["topic"], "key": row["key"], **orjson.loads(row["payload"])}
            for row in rows
        ]


@asynccontextmanager
async def catalog_world(
    url: str, files: NodeFiles, *, node: str = NODE, **settings: Any
) -> AsyncGenerator[World]:
    """Serve a county's catalogue with three agencies registered."""
    clock = SteadyClock()
    async with serving(define, "catalog", url, files, node=node, clock=clock, **settings) as served:
        world = World(served, clock)
        world.renew_tokens()
        for org_id, title, kind, uscc in AGENCIES:
            body = {"org_id": org_id, "name": title, "kind": kind, "region_code": node}
            if uscc:
                body["uscc"] = uscc
            answer = await world.reviewer.post("/catalog/v1/agencies", body)
            assert answer.status_code == 201, answer.text
        yield world
