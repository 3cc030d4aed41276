"""A made-up catalogue of any size: titles as agencies write them, with words as unevenly spread.

Nothing is copied from anybody's catalogue. The same seed gives the same entries.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

SECTORS = {
    "work_safety": "危险化学品 烟花爆竹 非煤矿山 安全生产 应急预案 避难场所 救援队伍 消防设施 隐患排查 事故调查",
    "health": "医疗机构 执业医师 预防接种 传染病 卫生监督 血站 妇幼保健 家庭医生 医疗废物 托育机构",
    "education_culture": "中小学校 幼儿园 教师资格 学籍 体育场馆 图书馆 非物质文化遗产 文物保护单位 民办学校 奖学金",
    "market_supervision": "食品经营 药品零售 特种设备 计量器具 商标 个体工商户 企业年报 广告审查 认证机构 抽检结果",
    "housing": "房地产开发 商品房预售 物业服务 公租房 建筑施工 工程造价 燃气经营 城市绿化 排水许可 房屋安全",
    "transport": "道路运输 公交线路 船舶 渡口 驾驶培训 网约车 货运车辆 公路养护 港口经营 交通违法",
    "environment": "排污许可 水质监测 空气质量 固体废物 环境影响评价 辐射安全 自然保护区 饮用水源 噪声监测 碳排放",
    "social_security": "就业登记 失业保险 劳动合同 技能鉴定 社保缴费 养老待遇 工伤认定 招聘岗位 劳务派遣 创业补贴",
    "industry_agriculture": "种植面积 畜禽养殖 农药经营 兽药 渔业 农业机械 高标准农田 粮食购销 种子生产 水利工程",
    "finance_tax": "部门预算 政府采购 税收优惠 国有资产 财政补贴 政府债务 会计师事务所 彩票销售 收费项目 转移支付",
    "social_assistance": "低保对象 特困人员 残疾人证 养老机构 社会组织 婚姻登记 殡葬服务 孤儿保障 临时救助 慈善组织",
    "geography": "不动产登记 土地出让 矿业权 规划许可 地理国情 测绘资质 地质灾害 海域使用 林地 基准地价",
    "public_safety": "户籍 出入境 保安服务 机动车 印章刻制 旅馆业 枪支弹药 养犬登记 监控点位 报警记录",
    "weather": "台风路径 降水量 气温 雷电防护 潮位 风速 能见度 土壤墒情 暴雨预警 人工影响天气",
}
ENDINGS = [
    "信息",
    "基本信息",
    "名单",
    "许可信息",
    "统计表",
    "情况",
    "登记信息",
    "数据",
    "名录",
    "许可证",
    "备案信息",
    "行政处罚信息",
    "统计信息",
    "清单",
    "公示信息",
    "目录",
    "年度报告",
    "监督检查结果",
    "汇总表",
    "台账",
    "审批结果",
    "资质信息",
    "分布情况",
    "评价结果",
    "补贴发放情况",
]
QUALIFIERS = [
    "重点",
    "规模以上",
    "年度",
    "民办",
    "新增",
    "注销",
    "在建",
    "优秀",
    "涉企",
    "农村",
    "城镇",
    "市级",
    "县级",
    "特定",
    "到期",
]
PLACES = [
    first + second + kind
    for first in "东西南北海河陆红华梅汕捷附联平"
    for second in "山湖城港田丰坪塘岭桥陂溪洲"
    for kind in ("镇", "街道", "村")
]
FORMS = ("table", "table", "table", "file", "file", "api", "geo_service", "licence")
FREQUENCIES = (
    "realtime",
    "daily",
    "monthly",
    "monthly",
    "quarterly",
    "yearly",
    "yearly",
    "irregular",
)
SHARES = ("unconditional", "unconditional", "conditional", "conditional", "conditional", "none")
NODES = ("441500", "441502", "441521", "441523", "441581", "441540", "441542")


@dataclass(frozen=True, slots=True)
class MadeEntry:
    """What a search reads of an entry."""

    entry_id: str
    title: str
    keywords: str
    department: str
    department_name: str
    abstract: str
    node: str
    theme: str
    share_type: str
    open_attr: str
    update_frequency: str
    data_form: str
    changed_at: int


def entries(count: int, *, seed: int = 20260213) -> Iterator[MadeEntry]:
    """Yield entries; common words are common because few kinds of them make most titles."""
    chance = random.Random(seed)
    subjects = [(theme, word) for theme, words in SECTORS.items() for word in words.split()]
    weights = [1 / (1 + rank) ** 0.6 for rank in range(len(subjects))]
    chance.shuffle(subjects)
    ending_weights = [1 / (1 + rank) ** 0.9 for rank in range(len(ENDINGS))]
    for _ in range(count):
        (theme, subject), (_, other) = chance.choices(subjects, weights, k=2)
        ending = chance.choices(ENDINGS, ending_weights)[0]
        title = _title(chance, subject, other, ending)
        number = chance.randrange(140)
        node = NODES[number % len(NODES)]
        fields = chance.sample(_FIELDS, chance.randint(4, 9))
        yield MadeEntry(
            entry_id=str(UUID(int=chance.getrandbits(128))),
            title=title,
            keywords=f"{subject} {other}",
            department=f"{node}-{number}",
            department_name=f"{node}第{number}号{subject}主管单位",
            abstract="、".join(fields) + f"，{subject}的{ending}",
            node=node,
            theme=theme,
            share_type=chance.choice(SHARES),
            open_attr=chance.choice(("open", "open", "conditional", "none")),
            update_frequency=chance.choice(FREQUENCIES),
            data_form=chance.choice(FORMS),
            changed_at=1_700_000_000 + chance.randrange(70_000_000),
        )


_FIELDS = [
    "证书编号",
    "企业名称",
    "统一社会信用代码",
    "法定代表人",
    "注册地址",
    "许可范围",
    "发证日期",
    "有效期自",
    "有效期至",
    "发证机关",
    "项目名称",
    "建设单位",
    "总投资",
    "负责人",
    "联系电话",
    "处罚决定书文号",
    "处罚事由",
    "处罚结果",
    "监测点位",
    "监测时间",
    "监测值",
    "所属区县",
    "经度",
    "纬度",
    "备注",
    "年份",
    "数量",
]


def _title(chance: random.Random, subject: str, other: str, ending: str) -> str:
    parts = [subject, ending]
    if chance.random() < 0.35:
        parts.insert(0, chance.choice(PLACES))
    if chance.random() < 0.3:
        parts.insert(-1, chance.choice(QUALIFIERS))
    if chance.random() < 0.2:
        parts.insert(-1, f"（{other}）")
    if chance.random() < 0.25:
        parts.append(f"（{chance.randint(2010, 2025)}年）")
    if chance.random() < 0.1:
        parts.append(f"_{chance.randint(1, 4000):04d}")
    return "".join(parts)


def queries(titles: list[str], *, seed: int, common: list[str]) -> Iterator[str]:
    """Yield random parts of titles, 2 to 8 characters; every tenth is one of the common words."""
    chance = random.Random(seed)
    while True:
        if chance.random() < 0.1:
            yield chance.choice(common)
            continue
        title = chance.choice(titles)
        length = chance.randint(2, 8)
        if len(title) >= length:
            start = chance.randint(0, len(title) - length)
            part = title[start : start + length]
            if part.strip() == part:
                yield part


def commonest_pairs(titles: list[str], count: int = 50) -> list[str]:
    """Return the commonest two-character words of the titles."""
    from collections import Counter  # noqa: PLC0415

    found: Counter[str] = Counter()
    for title in titles:
        found.update({title[i : i + 2] for i in range(len(title) - 1)})
    return [pair for pair, _ in found.most_common(count)]
