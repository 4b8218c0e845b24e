"""Characters that licences often print. They stand in the frozen fonts of a form, so a record needs few of its own.

More of them make each file larger, fewer make each file take longer: these are the ones that pay.
"""

from __future__ import annotations

ASCII = "".join(map(chr, range(0x20, 0x7F)))
_PUNCTUATION = "，。、；：（）"
# Dates, amounts, and what the names of companies, places and offices are made of.
_SHORT = (
    "〇一二三四五六七八九十百千万亿零元整年月日至长期人民币有限责任公司分个体工商户贸易科技服务文化建材机电子实业"
    "省市县区镇乡村街道路号幢室楼监督管理局中国"
)
# Usual lines of business, and the formulas around them.
_LONG = (
    "股份独合伙企业农专社自然投资或控非法定代表人注册本成立登记关住所经营范围场地址类型名称"
    "一般项目：除依法须经批准的外，凭照主动开展活。相部门后方可具以审结果为不含许及其他等和与在内各制品产"
    "销售零发咨询转让推广交流货物进出口理互联网信息系统集成软硬件设备计算辅助"
    "筑材料金属塑橡化危险针织纺服装鞋用办体育食初级生水果蔬畜牧渔械配"
    "造加安维修租赁仓储普通运输包策划告会议览礼仪形象策市营调查清洁房屋程施汽车新能源"
    "医疗器药美容餐饮住宿培训教艺术研究试验检测数据持电"
)
SHORT_CHINESE = "".join(sorted(set(_PUNCTUATION + _SHORT)))
LONG_CHINESE = "".join(sorted(set(_PUNCTUATION + _SHORT + _LONG)))
LATIN = "’“”–—"


def common_characters(language: str, *, long: bool) -> str:
    """Return the characters for the base font of a form in a language; `long` for texts of many lines."""
    if not language.startswith("zh"):
        return ASCII + LATIN
    return ASCII + (LONG_CHINESE if long else SHORT_CHINESE)
