"""Characters that licences often print. They stand in the base font of a form, so a record rarely needs many more."""

from __future__ import annotations

ASCII = "".join(map(chr, range(0x20, 0x7F)))
_PUNCTUATION = "，。、；：？！（）《》〈〉【】「」“”‘’—…·－～　〇"
# Words of registers and licences: dates, amounts, places, kinds of company, usual lines of business.
_WORDS = (
    "一二三四五六七八九十百千万亿零元整年月日至长期人民币有限责任公司股份分公司个人独资合伙企业个体工商户农民专业合作社"
    "自然投资或控股非法定代表负责执行事务注册本成立登记机关住所经营范围场地址类型名称编号统一社会信用代码许可证营业执照"
    "一般项目：除依法须经批准的外，凭自主开展活动。相部门后方可具以审结果为准不含及其他的等和与在内各种上下中"
    "销售批发零技术服务开发咨询转让推广交流货物进出口代理国际贸易电子商务互联网信息系统集成软件硬设备计算机辅助"
    "建筑材料金属制品五金塑料橡胶化工危险学纺织针服装鞋帽日用百办公用文具体育食产初级生鲜水果蔬菜农副畜牧渔机械配件"
    "制造加工安装维修理租赁仓储道路普通运输包装设计策划广告会议展览礼仪形象市场营调查企管物业清洁房屋工程施专项汽车新能源"
    "医疗器械药品美容发餐饮住宿培训教育文化艺术摄影研究试验检测"
    "省市县区镇乡村街道路弄巷幢栋楼层室号监督局委员会厅府持有效身份姓性别男女出生照片审核颁换补"
    "北京上海天津重庆浙江苏广东山河南西福建安徽湖四川宁波杭州"
)
CHINESE = "".join(sorted(set(_PUNCTUATION + _WORDS)))
LATIN = "’“”–—©°é"


def common_characters(language: str) -> str:
    """Return the characters for the base font of a form in a language."""
    return ASCII + (CHINESE if language.startswith("zh") else LATIN)
