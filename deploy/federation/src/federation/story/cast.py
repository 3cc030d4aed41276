"""Who plays: a county agency that needs data, the one that holds it, and the authorities."""

from dataclasses import dataclass

from federation.agencies import authority_of
from federation.plan import CITY

COUNTY_A = "441521"
COUNTY_B = "441581"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Ids of persons and organisations, and what they ask for.

    ``titles`` begin entries of the sample catalogue: the one that is granted, and one of another
    agency of the source's node that is refused.
    """

    requester: str = f"{COUNTY_A}-yj"
    source: str = f"{COUNTY_B}-mz"
    wanted: str = "汕尾市镇街和村居区划代码表"
    words: str = "镇街 区划代码"

    @property
    def here(self) -> str:
        """The requester's node."""
        return self.requester.split("-", 1)[0]

    @property
    def there(self) -> str:
        """The source's node."""
        return self.source.split("-", 1)[0]

    @property
    def desks(self) -> tuple[str, ...]:
        """Nodes whose authorities hold a filing: none within one county (第二十条第二款)."""
        return () if self.here == self.there else (self.here, CITY)

    @property
    def clerk(self) -> str:
        return f"{self.requester}.clerk"

    @property
    def steward(self) -> str:
        return f"{self.source}.steward"

    @property
    def handler(self) -> str:
        return f"{self.source}.handler"

    @property
    def approver(self) -> str:
        return f"{self.source}.approver"

    @property
    def confidentiality_reviewer(self) -> str:
        return f"{self.source}.confidentiality"


def at_authority(node: str, post: str) -> str:
    """Return the id of a post at a node's data authority."""
    return f"{authority_of(node).org_id}.{post}"


REQUEST_BASIS = {
    "level": "law",
    "title": "中华人民共和国突发事件应对法",
    "issuer": "全国人民代表大会常务委员会",
    "article": "第五十八条",
}
REFUSAL_BASIS = {
    "level": "law",
    "title": "中华人民共和国个人信息保护法",
    "number": "主席令第九十一号",
    "article": "第三十四条",
}
TOO_LOW_BASIS = {"level": "normative", "title": "陆丰市民政局内部数据管理规定", "article": "第三条"}
