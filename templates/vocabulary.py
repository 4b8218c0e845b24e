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
    "经营范围住所：一般项目，依法须经批准的项目除外，凭营业执照依法自主开展经营活动。相关部门批准后方可具体以审批结果为准，不含许可类信息咨询"
    "销售零发技术开推广交流转让设计制造加工组织文化艺术会展览形象策划告代理办用品食具制料材物仪器汽车餐饮装备企产内外货和互礼及其场议件生网出进口育美新联租赁金属地"
)
SHORT_CHINESE = "".join(sorted(set(_PUNCTUATION + _SHORT)))
LONG_CHINESE = "".join(sorted(set(_PUNCTUATION + _SHORT + _LONG)))
LATIN = "’“”–—"


def common_characters(language: str, *, long: bool) -> str:
    """Return the characters for the base font of a form in a language; `long` for texts of many lines."""
    if not language.startswith("zh"):
        return ASCII + LATIN
    return ASCII + (LONG_CHINESE if long else SHORT_CHINESE)
