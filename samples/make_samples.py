"""Makes the invented registers of this folder again, byte for byte: `make samples`.

Nothing in them is anybody's: places, names and numbers are made up, the regions 99xxxx of GB/T 2260 do not exist.
The columns and the untidiness are those of real open-data registers.
"""

from __future__ import annotations

import csv
import random
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from portraits import portrait_png
from stdnum.iso7064 import mod_11_2
from words import (
    BIRTHS,
    BRANDS,
    BUSINESS_NAMES,
    COMPANY_KINDS,
    DISTRICTS,
    GIVEN_NAMES,
    HOSPITALS,
    INDUSTRIES,
    INSTITUTIONS,
    LEGAL_FORMS,
    LICENSED_PHRASES,
    NAICS,
    OWNERSHIP,
    PRACTICES,
    ROADS,
    SCOPE_PHRASES,
    SCOPE_TAIL,
    STREETS,
    SURNAMES,
    TOWNS,
    TRADES,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = Path(__file__).resolve().parent
SEED: Final = 20261122
COMPANIES: Final = 240
BUSINESSES: Final = 300
PRACTITIONERS: Final = 20
COMPANY_COLUMNS: Final = (
    *("uni_social_crd_cd", "comp_nm", "comp_type", "reg_state", "addr", "reg_capt", "capt_kind", "opt_scop", "reg_no"),
    *("est_dt", "appr_dt", "opt_from", "opt_to", "reg_org", "indv_id", "postal_code"),
)
BUSINESS_COLUMNS: Final = (
    *("city_account_number", "ubi", "business_legal_name", "trade_name", "ownership_type", "naics_code"),
    *("naics_description", "license_start_date", "street_address", "city", "state", "zip_5"),
)
PRACTITIONER_COLUMNS: Final = (
    *("cert_no", "name", "sex", "id_no", "category", "scope", "institution"),
    *("issue_date", "valid_from", "valid_to", "photo"),
)
BIRTH_COLUMNS: Final = (
    *("cert_no", "child_name", "sex", "child_id", "birth_date", "birth_time", "weeks", "weight_g", "length_cm"),
    *("birth_place", "hospital", "mother_name", "mother_nation", "mother_id"),
    *("father_name", "father_nation", "father_id", "issue_date"),
)
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015


def uscc(body: str) -> str:
    """`body` (17 characters) with its check character. GB 32100-2015."""
    total = sum(_USCC_ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(body))
    return body + _USCC_ALPHABET[-total % 31]


def day_between(rng: random.Random, first: date, last: date) -> date:
    """A day from `first` to `last`."""
    return first + timedelta(days=rng.randrange((last - first).days + 1))


def companies(rng: random.Random) -> list[tuple[str, ...]]:
    """Rows like those of a Chinese business register."""
    rows: list[tuple[str, ...]] = []
    names = set[str]()
    while len(rows) < COMPANIES:
        district, region, postal = rng.choice(DISTRICTS)
        industry, trade = rng.choice(INDUSTRIES)
        brand = rng.choice(BRANDS) + rng.choice(BRANDS)
        branch = rng.random() < 0.12
        name = f"样本市{rng.choice(('', district[:-1]))}{brand}{trade}有限公司"
        name = f"{name}{district[:-1]}{rng.choice(('分公司', '营业部', '店'))}" if branch else name
        if name in names:
            continue
        names.add(name)
        organisation = "MA" + "".join(rng.choices(_USCC_ALPHABET, k=7))
        code = uscc(f"91{region}{organisation}")
        day = day_between(rng, date(1998, 3, 2), date(2026, 10, 30)).isoformat()
        state = rng.choices(("存续", "注销", "吊销"), (67, 29, 4))[0]
        form = rng.choice(COMPANY_KINDS[1:] if branch else LEGAL_FORMS)
        capital = (
            "0.0" if branch else rng.choice(("1000000.0", "500000.0", "100000.0", "3000000.0", "5263157.9", "50000.0"))
        )
        address = f"样本市{district}{rng.choice(ROADS)}{rng.randrange(1, 999)}号{address_tail(rng)}"
        rows.append(
            (
                *(code, name, form, state, address, capital, "" if branch else "人民币", scope(rng, len(rows))),
                *(code[2:], day, day, day, "2099-12-31", f"样本市{district}市场监督管理局", industry, postal),
            )
        )
    return rows


def address_tail(rng: random.Random) -> str:
    """What stands behind a house number, with brackets and commas as people write them."""
    tails = (
        "",
        f"{rng.randrange(1, 30)}幢{rng.randrange(101, 2500)}室",
        f",{rng.randrange(1, 99)}号（1-26）部分（1-27）",
    )
    return rng.choice((*tails, "（样本广场）", f"{rng.randrange(2, 30)}楼-{rng.randrange(1, 40)}"))


def scope(rng: random.Random, place: int) -> str:
    """A business scope: often short, sometimes none, now and then longer than a page likes."""
    if rng.random() < 0.17:
        return ""
    count = rng.choice((2, 4, 7, 12, 20)) if place % 40 != 7 else 62
    separator = rng.choice(("；", "；", "；", "、", ";  "))
    text = f"一般项目：{separator.join(rng.sample(SCOPE_PHRASES, count))}{SCOPE_TAIL}。"
    if rng.random() < 0.4:
        text += f"许可项目：{'；'.join(rng.sample(LICENSED_PHRASES, 3))}（依法须经批准的项目，经相关部门批准后方可开展经营活动）。"
    return text


def businesses(rng: random.Random) -> list[tuple[str, ...]]:
    """Rows like those of a city's business license register."""
    rows: list[tuple[str, ...]] = []
    for place in range(BUSINESSES):
        account = f"000999{rng.randrange(10**4):04d}{place:06d}"
        ubi = rng.choices(
            (f"999{rng.randrange(10**6):06d}", f"999{rng.randrange(10**6):06d}0010001", account, ""), (30, 55, 13, 2)
        )[0]
        legal = BUSINESS_NAMES[place] if place < len(BUSINESS_NAMES) else legal_name(rng)
        trade = legal if rng.random() < 0.4 else f"{rng.choice(STREETS)} {rng.choice(TRADES)}"
        trade = trade.replace(" ", "  ", 1) if rng.random() < 0.03 else trade
        code, description = rng.choice(NAICS)
        start = day_between(rng, date(1994, 1, 3), date(2026, 11, 20))
        start = date(2026, 12, 10) if place % 97 == 5 else start
        street = f"{rng.randrange(100, 19999)} {rng.choice(STREETS)} {rng.choice(('AVE N', 'ST', 'WAY NE', 'BLVD S # 215', 'DR  SW'))}"
        city, state, postal = rng.choices(TOWNS, (80, 5, 5, 3, 3, 2, 1, 1))[0]
        rows.append(
            (
                account,
                ubi,
                legal,
                trade,
                rng.choice(OWNERSHIP),
                code,
                description,
                start.isoformat(),
                street,
                city,
                state,
                postal,
            )
        )
    return rows


def legal_name(rng: random.Random) -> str:
    """A company name in capitals."""
    tail = rng.choice(("LLC", "INC", "INC.", "LLP", "(US) INC", "& SONS LLC", "CO", "ASSOCIATES PLLC"))
    return f"{rng.choice(STREETS)} {rng.choice(STREETS)} {rng.choice(TRADES)} {tail}"


def practitioners(rng: random.Random) -> list[tuple[str, ...]]:
    """Persons with a licence to practise; the last one's has expired."""
    rows: list[tuple[str, ...]] = []
    for place in range(PRACTITIONERS):
        woman = place % 2 == 0
        name = SURNAMES[place] + "样" + GIVEN_NAMES[place]
        born = day_between(rng, date(1962, 1, 1), date(1999, 12, 31))
        body = f"99{rng.choice(('0101', '0202', '0303'))}{born:%Y%m%d}{rng.randrange(100):02d}{rng.randrange(0 if woman else 1, 10, 2)}"
        category, practice = PRACTICES[place % len(PRACTICES)]
        begin = (
            date(2020, 5, 6) if place == PRACTITIONERS - 1 else day_between(rng, date(2023, 1, 4), date(2026, 11, 2))
        )
        end = begin.replace(year=begin.year + 5) - timedelta(days=1)
        photo = f"portraits/{place + 1:02d}.png"
        (HERE / photo).write_bytes(portrait_png(rng, woman=woman, age=2026 - born.year))
        rows.append(
            (
                *(
                    f"YB-{begin.year}-{place + 401:06d}",
                    name,
                    "女" if woman else "男",
                    body + mod_11_2.calc_check_digit(body),
                ),
                *(category, practice, INSTITUTIONS[place % len(INSTITUTIONS)]),
                *(begin.isoformat(), begin.isoformat(), end.isoformat(), photo),
            )
        )
    return rows


def births(rng: random.Random, adults: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Children of people in the register of practitioners (`adults`); newborns have no citizen number yet."""
    known = {row[1]: row[3] for row in adults}
    rows: list[tuple[str, ...]] = []
    for place, (name, sex, day, mother, father, numbered) in enumerate(BIRTHS):
        born = date.fromisoformat(day)
        mother_name, mother_nation, mother_id = mother.split("|") if "|" in mother else (mother, "中国", known[mother])
        region = (mother_id if mother in known else known[father])[:6]
        body = f"{region}{born:%Y%m%d}{rng.randrange(100):02d}{rng.randrange(0 if sex == '女' else 1, 10, 2)}"
        hospital, where = HOSPITALS[place % len(HOSPITALS)]
        rows.append(
            (
                *(
                    f"Z99{born:%y}{place + 117:05d}",
                    name,
                    sex,
                    body + mod_11_2.calc_check_digit(body) if numbered else "",
                ),
                *(
                    day,
                    f"{rng.randrange(24):02d}:{rng.randrange(60):02d}",
                    f"{rng.randrange(37, 42)}+{rng.randrange(7)}",
                ),
                *(str(rng.randrange(2600, 4100, 10)), str(rng.randrange(47, 54)), where, hospital),
                *(mother_name, mother_nation, mother_id),
                *(father, "中国" if father else "", known.get(father, "")),
                (born + timedelta(days=rng.randrange(2, 9))).isoformat(),
            )
        )
    return rows


def bad_companies(good: Sequence[str]) -> list[tuple[str, ...]]:
    """One row of each kind that a batch refuses, and one that only looks bad."""

    def changed(place: int, **cells: str) -> tuple[str, ...]:
        row = dict(zip(COMPANY_COLUMNS, good, strict=True))
        code = uscc(f"91990201MA9BAD{place:03d}")
        row |= {"uni_social_crd_cd": code, "comp_nm": f"样本市坏行示例{place}号有限公司", "reg_state": "存续"}
        return tuple((row | cells).values())

    right = changed(1, comp_nm="=样本市(公式)有限公司")
    return [
        right,
        changed(2, comp_nm=""),
        changed(3, uni_social_crd_cd=uscc("91990201MA9BAD003")[:-1] + "0"),
        changed(4, appr_dt="2026-02-30"),
        changed(5, opt_to="2001-01-01"),
        right,
        changed(7, comp_type="有限" * 40),
        changed(8, comp_nm="样本市\ue000有限公司"),
        changed(9, comp_nm="样本市\u202e有限公司"),
        changed(10, reg_state="注销"),
        changed(11, reg_state="迁出"),
        changed(12, reg_capt="一百万"),
        changed(13)[:-2],
        (*changed(14), "多一列"),
        changed(15, comp_nm="样本市😀有限公司"),
    ]


def write(name: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, encoding: str = "utf-8") -> None:
    """A register as its source would export it: CRLF, quotes only where needed."""
    with (HERE / name).open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def main() -> None:
    """Write all of them."""
    rng = random.Random(SEED)
    (HERE / "portraits").mkdir(exist_ok=True)
    invented = companies(rng)
    write("companies.csv", COMPANY_COLUMNS, invented, encoding="utf-8-sig")
    write("bad-rows.csv", COMPANY_COLUMNS, bad_companies(invented[1]), encoding="utf-8-sig")
    write("businesses.csv", BUSINESS_COLUMNS, businesses(rng))
    adults = practitioners(rng)
    write("practitioners.csv", PRACTITIONER_COLUMNS, adults)
    write("births.csv", BIRTH_COLUMNS, births(rng, adults))


if __name__ == "__main__":
    main()
