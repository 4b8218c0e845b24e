"""Words out of which the invented registers are made. No place, company or person of these names is meant."""

from __future__ import annotations

from typing import Final

DISTRICTS: Final = (
    ("江湾区", "990201", "990200"), ("望湖区", "990202", "990210"), ("听潮区", "990203", "990220"),
    ("云岭区", "990204", "990230"), ("临泽市", "990281", "990300"), ("东屿县", "990225", "990400"),
    ("南浦县", "990226", "990500"),
)  # fmt: skip
"""Name, region of GB/T 2260 (not existing), postal code (not assigned)."""
BRANDS: Final = tuple("甬澜鸿禾悦舟星岚沐川启元丰瑞凌霄知远青禾木棉朗润嘉言若水鲲鹏栖梧晴方致和恒稔")
INDUSTRIES: Final = (
    ("茶叶批发", "茶业"), ("文化会展服务", "文化传媒"), ("其他广告服务", "广告"), ("专业设计服务", "设计"),
    ("其他未列明商务服务业", "商务服务"), ("互联网其他信息服务", "信息技术"), ("正餐服务", "餐饮管理"),
    ("图书出版", "出版物发行"), ("文艺创作与表演", "文化艺术"), ("文化艺术培训", "教育咨询"), ("机械零部件加工", "精密机械"),
    ("海洋捕捞", "渔业"), ("软件开发", "软件"), ("鞋帽批发", "鞋业"), ("水产品零售", "海产品"), ("摄影扩印服务", "摄影"),
)  # fmt: skip
"""Industry as registered, and the word for it in a name."""
LEGAL_FORMS: Final = (
    *("有限责任公司（自然人投资或控股）", "有限责任公司（自然人投资或控股）", "有限责任公司（自然人独资）"),
    *("有限责任公司（非自然人投资或控股的法人独资）", "其他有限责任公司", "有限责任公司（台港澳法人独资）"),
)
COMPANY_KINDS: Final = (
    *("有限责任公司（自然人独资）", "有限责任公司分公司（自然人投资或控股）", "分公司"),
    *("其他有限责任公司分公司", "股份有限公司（中外合资、未上市）分支机构"),
)
ROADS: Final = (
    *("望湖街道听潮路", "江湾街道云帆路", "白鹭镇木棉大街", "东屿街道石浦弄", "栖梧街道青禾路", "临泽街道晴川巷"),
    *("南浦镇小桥头村", "云岭街道一号公路", "听潮街道灯塔东路"),
)
SCOPE_PHRASES: Final = (
    *("广告制作", "广告设计、代理", "广告发布", "组织文化艺术交流活动", "文艺创作", "会议及展览服务", "市场营销策划"),
    *("企业形象策划", "企业管理咨询", "信息咨询服务（不含许可类信息咨询服务）", "摄像及视频制作服务", "平面设计"),
    *("专业设计服务", "图文设计制作", "办公用品销售", "文具用品批发", "文具用品零售", "日用百货销售", "日用品批发"),
    *("工艺美术品及礼仪用品销售（象牙及其制品除外）", "农副产品销售", "水产品批发", "水产品零售", "茶具销售"),
    *("食品销售（仅销售预包装食品）", "互联网销售（除销售需要许可的商品）", "软件开发", "软件销售", "网络设备销售"),
    *(
        "计算机软硬件及辅助设备零售",
        "计算机系统服务",
        "信息系统集成服务",
        "数据处理和存储支持服务",
        "人工智能基础软件开发",
    ),
    *("技术服务、技术开发、技术咨询、技术交流、技术转让、技术推广", "机械零件、零部件加工", "机械零件、零部件销售"),
    *("通用设备制造（不含特种设备制造）", "金属制品销售", "五金产品零售", "电子产品销售", "通讯设备销售"),
    *("鞋帽批发", "鞋帽零售", "服装服饰零售", "针纺织品销售", "体育用品及器材零售", "体育竞赛组织", "健身休闲活动"),
    *("摄影扩印服务", "婚庆礼仪服务", "礼仪服务", "租赁服务（不含许可类租赁服务）", "住房租赁", "物业管理"),
    *("非居住房地产租赁", "停车场服务", "园林绿化工程施工", "花卉绿植租借与代管理", "宠物食品及用品零售"),
    *("教育咨询服务（不含涉许可审批的教育培训活动）", "业务培训（不含教育培训、职业技能培训等需取得许可的培训）"),
    *("Ⅰ类医疗器械销售", "第一类医疗器械租赁", "“互联网＋”海洋信息服务", "海洋工程装备研发", "船舶租赁—不含船员"),
    *(
        "国内货物运输代理",
        "装卸搬运",
        "普通货物仓储服务（不含危险化学品等需许可审批的项目）",
        "再生资源回收（除生产性废旧金属）",
    ),
    *("化妆品零售", "个人卫生用品销售", "家用电器零配件销售", "家具安装和维修服务", "珠宝首饰零售"),
)
LICENSED_PHRASES: Final = (
    *("出版物零售", "出版物批发", "茶叶制品生产", "食品生产", "餐饮服务", "演出经纪", "营业性演出", "渔业捕捞"),
    *("道路货物运输（不含危险货物）", "建设工程施工", "广播电视节目制作经营", "《互联网新闻信息服务许可证》所列项目"),
)
SCOPE_TAIL: Final = "（除依法须经批准的项目外，凭营业执照依法自主开展经营活动）"

TOWNS: Final = (
    ("RAINPORT", "WA", "00012"), ("RAINPORT", "WA", "00101"), ("CEDARMOUTH", "WA", "00220"), ("HOLLOWBAY", "WA", "00305"),
    ("PINE HARBOR", "OR", "00411"), ("NORTHFEN", "CA", "00587"), ("GLASS LAKE", "BC", "X0X 0"), ("OUDEMEER", "", "0017C"),
)  # fmt: skip
"""City, state, ZIP code: some abroad, some cut short."""
STREETS: Final = (
    *(
        "ALDERWICK",
        "BRIGHTWATER",
        "CORMORANT",
        "DUSKFALL",
        "EMBERLY",
        "FOXHOLLOW",
        "GREYSTONE",
        "HEATHERMOOR",
        "IRONWOOD",
    ),
    *("JUNIPER POINT", "KESTREL", "LANTERN HILL", "MOSSBANK", "NIGHTJAR", "OSPREY", "PUDDLE DOCK", "QUILLFEATHER"),
    *("ROOKERY", "SALTMARSH", "TIDEWATER", "UMBERLIGHT", "VESPER", "WILLOWBEND", "YARROW", "ZEPHYR"),
)
TRADES: Final = (
    *("CONSULTING", "COFFEE ROASTERS", "DENTAL", "HARDWARE", "BOOKS", "BAKERY", "PROPERTIES", "STUDIO #2", "ROOFING"),
    *(
        "YOGA + MOVEMENT",
        "TAXI #498",
        "MARINE SUPPLY",
        "DESIGN",
        "NOODLES",
        "TUTORING",
        "BREWING CO.",
        "PHYSICAL THERAPY",
    ),
)
BUSINESS_NAMES: Final = (
    *(
        "NaN",
        "NULL",
        "NONE",
        "N/A",
        "TRUE NORTH  ATHLETICS LLC",
        "=SUM OF ITS PARTS LLC",
        "+PLUS STUDIO",
        "@HOME BAKERY",
    ),
    *("-MINUS ONE- RECORDS", "(ADD)VENTURES", "BAM! SOCIAL TONICS", "7 O'CLOCK #16022G", 'THE "QUOTED" COMPANY LLC'),
    *(
        "COMMA, COMMA & COMMA INC",
        "B+E PARTNERS INC",
        "O'LEARY & D'ARCY",
        "000123 HOLDINGS",
        "1E10 LABS",
        "CAPITALS INc",
    ),
)
"""Names that careless programs change."""
OWNERSHIP: Final = (
    *("Corporation", "Corporation", "LLC - Multi Member", "LLC - Multi Member", "Other", "Non Profit Corporation"),
    *("Limited Liability Limited Ptrs", "Professional Association", "Tribal Government"),
)
NAICS: Final = (
    ("541611", "Administrative Management and General Management Consulting Services"),
    ("722513", "Limited-Service Restaurants"),
    ("236115", "New Single-Family Housing Construction (except For-Sale Builders)"),
    ("531110", "Lessors of Residential Buildings and Dwellings"),
    ("812990", "All Other Personal Services"),
    ("311920", "Coffee and Tea Manufacturing"),
    ("445110", "Supermarkets and Other Grocery Retailers (except Convenience Retailers)"),
    ("621210", "Offices of Dentists"),
    ("485310", "Taxi and Ridesharing Services"),
    ("711510", "Independent Artists, Writers, and Performers"),
    ("541410", "Interior Design Services"),
    ("711310", "Promoters of Performing Arts, Sports, and Similar Events with Facilities"),
)

SURNAMES: Final = tuple("沈林陆宋苏许叶顾傅秦尹钟韦贺乔穆温蓝祝柏")
GIVEN_NAMES: Final = tuple("宁知舟岚远禾川澜青朗言水棠松云晴和川梧桐")
PRACTICES: Final = (
    ("中医", "中医内科；针灸推拿康复"), ("临床", "内科；全科医学"), ("口腔", "口腔内科；口腔修复"), ("公共卫生", "疾病预防控制"),
    ("临床", "儿科；儿童保健"),
)  # fmt: skip
INSTITUTIONS: Final = (
    *("样本市江湾区听潮社区卫生服务中心", "样本市第二人民医院", "样本市望湖区中医门诊部", "样本市东屿县木棉镇卫生院"),
)
BIRTHS: Final = (
    ("顾样舒", "女", "2010-05-17", "陆样舟", "顾样澜", True), ("顾样𠮷", "男", "2014-09-03", "陆样舟", "顾样澜", True),
    ("苏样朔", "男", "2004-02-29", "苏样远", "秦样朗", True), ("宋样暖", "女", "2016-12-31", "尹样言", "宋样岚", True),
    ("贺样禾", "男", "2018-03-21", "叶样川", "贺样松", True), ("叶样枝", "女", "2026-10-08", "叶样川", "贺样松", False),
    ("韦样晨", "女", "2026-11-11", "韦样棠", "林样知", False), ("乔样遥", "男", "2021-07-30", "乔样云", "", True),
    ("穆样英格丽·样本", "女", "2005-01-15", "Ingrid Sample-Holm|丹麦|DK9900123", "穆样晴", True),
)  # fmt: skip
"""Child, sex, day of birth, mother, father, whether it has its citizen number. Parents stand among the practitioners, but
for one mother from abroad (name, nationality, travel document); one father is not recorded."""
HOSPITALS: Final = (
    ("样本市妇幼保健院", "样本市江湾区"), ("样本市第二人民医院", "样本市望湖区"), ("东屿县人民医院", "样本市东屿县"),
)  # fmt: skip
