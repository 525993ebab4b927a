"""Chinese, Japanese and Korean addresses: in their scripts from the biggest part to the smallest, in Latin from
the smallest to the biggest. A Japanese town area (`霞が関`) or a Korean road stands where others have a street.
"""

from __future__ import annotations

import re
import unicodedata

from udfs.address_countries import postal_code, postal_pattern
from udfs.address_text import Parts, is_recipient
from udfs.world_address import parse as parse_by_pieces

HANGUL = re.compile(r"[\uac00-\ud7a3]")
KANA = re.compile(r"[\u3040-\u30ff]")
HAN = re.compile(r"[\u4e00-\u9fff]")
PREFECTURE = re.compile(r"(?P<region>東京都|北海道|(?:京都|大阪)府|[^\d\s、,〒]{2,3}県)")
JAPANESE_CITY = re.compile(
    r"^(?P<city>(?:[^\d\s]{1,5}?郡[^\d\s]{1,6}?[町村])|(?:[^\d\s]{1,6}?市[^\d\s市区]{1,4}区)|(?:四日市市|廿日市市|野々市市|市川市|市原市|"
    r"[^\d\s]{1,6}?市)|[^\d\s]{1,5}?区|[^\d\s]{1,5}?[町村])"
)
JAPANESE_STREET = re.compile(
    r"^(?P<street>[^\d]+?(?:\d+丁目|[一二三四五六七八九十]+丁目)?)\s*(?P<number>\d+(?:番地?|番町)?(?:\s?(?:の|"
    r"-)?\s?\d+)*号?(?:-\d+)*)(?!\d*[階F])\s*(?P<unit>.*)$"
)
KOREAN = re.compile(
    r"^(?:(?P<region>\S+(?:특별자치도|도)|경기|강원|충북|충남|전북|전남|경북|경남|제주)\s+)?(?:(?P<metro>\S+(?:특별시|광역시|특별자치시)|서울시?|부산시?|대구시?|"
    r"인천시?|광주시?|대전시?|울산시?|세종시?)\s+)?"
    r"(?:(?P<city>\S+?[시군])\s+)?(?:(?P<ward>\S+?구)\s+)?(?:(?P<town>\S+[읍면])\s+)?(?P<street>\S*?(?:대로|로|"
    r"길)(?:\s?\d+(?:번)?[가나다라]?길)?)\s*(?P<number>(?:지하\s?)?\d+(?:-\d+)?)(?![\d층호])\s*(?P<unit>.*)$"
)
KOREAN_LOT = re.compile(
    r"^(?:(?P<region>\S+도)\s+)?(?:(?P<metro>\S+(?:특별시|광역시)|서울시?|부산시?|대구시?|인천시?|광주시?|대전시?|"
    r"울산시?)\s+)?(?:(?P<city>\S+?[시군])\s+)?(?:(?P<ward>\S+?구)\s+)?(?:(?P<town>\S+[읍면])\s+)?"
    r"(?P<street>\S+[동리가])\s+(?P<number>(?:산\s?)?\d+(?:-\d+)?)(?:번지)?\s*(?P<unit>.*)$"
)
CHINESE_REGION = re.compile(
    r"^(?P<region>[^\d\s]{2,3}?省|内蒙古自治区|广西壮族自治区|西藏自治区|宁夏回族自治区|新疆维吾尔自治区|香港特别行政区|澳门特别行政区|广西|内蒙古|新疆|宁夏|西藏)"
)
CHINESE_CITY = re.compile(r"^(?P<city>[^\d\s]{2,8}?(?:市|自治州|盟|地区|[縣县](?=[^\d]))|北京|上海|天津|重庆)")
CHINESE_DISTRICT = re.compile(r"^(?:[^\d\s路街道]{1,6}?(?:新区|区|區|县|縣|旗|市))+|^(?:[^\d\s]{2,5}?(?:鄉|鎮|乡|镇))")
CHINESE_STREET = re.compile(
    r"^(?P<street>.*?(?:路|街|道|巷|弄|胡同|里|大街|大道|條|条|"
    r"村)(?:[东西南北中]?[一二三四五六七八九十\d]+段)?(?:\d+巷)?(?:\d+弄)?(?:[东西南北中]段)?)\s*(?P<number>(?:甲|乙|丙)?\d+(?:[-之]\d+)*(?:号|"
    r"號)(?:之\d+)?|"
    r"\d+(?:-\d+)*)\s*(?P<unit>.*)$"
)
SUBDISTRICT = re.compile(r"^[^\d]{2,5}?(?:街道|镇|鎮|乡)(?=[^\d]{2,}?(?:路|街|道|巷))")
LATIN_MARKS = {
    "KR": re.compile(r"(?:-gu|-dong|-eup|-myeon| gu| dong)$", re.I),
    "CN": re.compile(r"(?:\bdistrict|\bdist\.?|\bqu|\bsubdistrict|\bxian|\bnew area|\btown)$", re.I),
    "TW": re.compile(r"(?:\bdist(?:rict)?\.?|\bvillage|\btownship|\bvil\.?)$", re.I),
}
JAPANESE_LATIN = re.compile(
    r"^(?:(?P<number>\d+(?:-\d+){0,3})(?:\s*,\s*|\s+)(?P<street>[^\W\d_][^\d]*?)|"
    r"(?P<street2>[^\W\d_][^\d]*?)(?:\s*,\s*|\s+)(?P<number2>\d+(?:-\d+){1,3}))(?:\s+(?P<chome>\d+)[- ]ch[oō]me)?$",
    re.I,
)
CHOME_LATIN = re.compile(
    r"(?P<all>(?:(?P<street>[^\W\d_][^\d,]*?)\s+)?(?P<chome>\d+)[- ]?ch[oō]me(?:[\s,]+(?P<after>[^\W\d_][^\d,]*))?)",
    re.I,
)


def is_asian(text: str) -> bool:
    """Whether a text is in Chinese, Japanese or Korean script."""
    return bool(HAN.search(text) or KANA.search(text) or HANGUL.search(text))


def country_of_script(text: str) -> str | None:
    """The country that a script and the words in it make sure."""
    if HANGUL.search(text):
        return "KR"
    if KANA.search(text) or PREFECTURE.search(text) or "〒" in text:
        return "JP" if HAN.search(text) or KANA.search(text) else None
    if re.search(r"[臺台](?:北|中|南|灣|東)|[縣區號樓]", text):
        return "TW"
    if re.search(r"[省市区县].*[路街道巷].*\d", text):
        return "CN"
    return None


def key(parts: Parts) -> str:
    """The form that two spellings of one address share: `霞が関1丁目3番1号` and `霞が関1-3-1`."""
    line = unicodedata.normalize("NFKC", f"{parts.street}{parts.house_number} {parts.unit}")
    return re.sub(
        r"(?:丁目|番地の?|番|号|號|之|-)+(?=\d)", "-", re.sub(r"\s+|(?<=\d)[号號](?!\d)", "", line)
    ).casefold()


def parse(pieces: list[str], country: str) -> Parts:
    """The parts of an address in a script of East Asia."""
    kept = [piece for piece in pieces if not is_recipient(piece)]
    text = (
        unicodedata.normalize("NFKC", " ".join(kept))
        .replace("−", "-")
        .replace("‐", "-")
        .replace("–", "-")
        .replace("ー", "ー")
    )
    parts = Parts()
    pattern = postal_pattern(country)
    codes = [found for found in pattern.finditer(text)] if pattern else []
    for found in codes:
        at_edge = not text[: found.start()].strip(" (") or not text[found.end() :].strip(" )")
        if at_edge or "〒" in found.group():
            parts.postal_code = postal_code(country, found["code"])
            text = f"{text[: found.start()]} {text[found.end() :]}".strip(" ()")
            break
    reader = {"JP": _japanese, "KR": _korean}.get(country, _chinese)
    reader(re.sub(r"^(?:日本国?|대한민국|한국|中国|中華民國|台灣(?=\s)|中华人民共和国)\s*", "", text.strip()), parts)
    if not parts.street:
        parts.house_number = parts.unit = ""
        parts.issue = parts.issue or ("no street" if parts.city else "not understood")
    return parts


def _japanese(text: str, parts: Parts) -> None:
    if found := PREFECTURE.match(text):
        parts.region, text = found["region"], text[found.end() :].strip()
    if found := JAPANESE_CITY.match(text):
        parts.city, text = found["city"], text[found.end() :].strip()
    text = re.sub(r"(?<=\d)\s*[-ー－]\s*(?=\d)", "-", text)
    if found := JAPANESE_STREET.match(text):
        parts.street, parts.house_number = found["street"].strip(), found["number"]
        unit = found["unit"].strip()
        room = re.search(r"(?P<room>(?:[A-Z]?\d+(?:号室|室|階|F|号))(?:\s?[A-Z]?\d+(?:号室|室))?)$", unit)
        parts.unit = room["room"] if room else (unit if re.fullmatch(r"[A-Z]?\d+", unit) else "")
    elif text and not re.search(r"\d", text):
        parts.street = text


def _korean(text: str, parts: Parts) -> None:
    text = re.sub(r"\s*\([^)]*\)", "", text)
    text = re.sub(r"(?<=\d)\s*-\s*(?=\d)", "-", text)
    found = KOREAN.match(text) or KOREAN_LOT.match(text)
    if not found:
        return
    parts.region = found["region"] or ""
    parts.city = found["metro"] or found["city"] or ""
    parts.street, parts.house_number = (
        found["street"].strip(),
        found["number"].replace(" ", "") if "지하" not in found["number"] else found["number"],
    )
    room = re.findall(r"(?:[A-Za-z가-나]?\d*동\s?)?(?:지하\s?)?[A-Z]?\d+(?:층|호)|\d+동(?=\s|$)", found["unit"])
    parts.unit = " ".join(room)


def _chinese(text: str, parts: Parts) -> None:
    text = re.sub(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff\d])", "", text)
    if found := CHINESE_REGION.match(text):
        parts.region, text = found["region"], text[found.end() :]
    if found := CHINESE_CITY.match(text):
        parts.city, text = found["city"], text[found.end() :]
    if found := CHINESE_DISTRICT.match(text):
        text = text[found.end() :]
    if found := SUBDISTRICT.match(text):
        text = text[found.end() :]
    if found := CHINESE_STREET.match(text):
        parts.street, parts.house_number = found["street"], found["number"]
        unit = found["unit"].strip()
        if rooms := re.findall(r"(?:[A-Z\d]+(?:号楼|號樓|栋|棟|座|幢|单元|單元|层|層|楼|樓|室|号|F)(?:之\d+)?)+", unit):
            parts.unit = "".join(rooms)
    elif found := re.match(r"^(?P<street>[^\d]{2,}?(?:路|街|道|巷|胡同))", text):
        parts.street = found["street"]


def parse_latin(pieces: list[str], country: str) -> Parts:
    """The parts of an East Asian address in Latin script: from the smallest part to the biggest."""
    if country == "JP":
        return _japanese_latin(pieces)
    marks = LATIN_MARKS[country]
    kept = [piece for piece in pieces if not marks.search(piece)] if len(pieces) > 2 else pieces
    if country in ("CN", "TW"):
        kept = [re.sub(r"^(?:No\.?|Number)\s*(\d+[\w-]*)$", r"\1", piece, flags=re.I) for piece in kept]
        kept = _joined_numbers(kept)
    parts = parse_by_pieces(kept, country)
    if (
        country == "KR"
        and parts.city
        and not parts.region
        and (found := re.match(r"^(.+-si),?\s+(.+-do)$", parts.city))
    ):
        parts.city, parts.region = found[1], found[2]
    return parts


def _joined_numbers(pieces: list[str]) -> list[str]:
    """`11` and `Fuxing Road` in pieces of their own as one line, the number first."""
    joined: list[str] = []
    for piece in pieces:
        if joined and re.fullmatch(r"\d+[\w-]*", joined[-1]) and not re.match(r"\d", piece):
            joined[-1] = f"{joined[-1]} {piece}"
        else:
            joined.append(piece)
    return joined


def _japanese_latin(pieces: list[str]) -> Parts:
    parts = Parts()
    pieces = [piece for piece in pieces if not is_recipient(piece)]
    pattern = postal_pattern("JP")
    for place, piece in enumerate(pieces):
        if (found := pattern.search(piece)) and not re.search(r"-\d+-", piece):
            parts.postal_code = postal_code("JP", found["code"])
            rest = f"{piece[: found.start()]} {piece[found.end() :]}".strip(" ,")
            pieces[place : place + 1] = [rest] if rest else []
            break
    pieces = [piece for piece in pieces if piece.lower() != "japan"]
    if pieces and (not re.search(r"\d", pieces[-1])) and len(pieces) > 1:
        tail = pieces.pop()
        ward = re.match(r"^(?P<city>.+?(?:-ku|-shi|-gun|-cho))\s+(?P<region>.+)$", tail, re.I)
        if ward:
            parts.city, parts.region = ward["city"], ward["region"]
        elif (
            re.search(r"-(?:ku|shi|cho|machi|mura|gun)$", tail, re.I)
            or not re.search(r"[a-z]", pieces[-1], re.I)
            or re.search(r"\d", pieces[-1])
        ):
            parts.city = tail
        else:
            parts.region = tail
    if parts.region and pieces and len(pieces) > 1 and not re.search(r"\d", pieces[-1]):
        parts.city = pieces.pop()
        if re.search(r"-ku$", parts.city, re.I) and len(pieces) > 1 and re.search(r"-shi$", pieces[-1], re.I):
            parts.city = pieces.pop()
    elif not parts.region and len(pieces) > 1 and re.search(r"-ku$", pieces[-1], re.I):
        pieces.pop()  # the ward of a city without its prefecture
    _japanese_block(pieces, parts)
    if not parts.street:
        parts.issue = "no street" if parts.city else "not understood"
    return parts


def _japanese_block(pieces: list[str], parts: Parts) -> None:
    rooms = [
        piece
        for piece in pieces
        if re.match(
            r"^(?:room|rm|apt|#|unit|suite|floor)\b|^#?\d{1,4}(?:F|th floor|nd floor|rd floor|st floor)?$|^\d+F$",
            piece,
            re.I,
        )
    ]
    lines = [piece for piece in pieces if piece not in rooms]
    text = ", ".join(lines)
    if found := CHOME_LATIN.search(text):
        number = re.search(
            r"(?<![\w-])\d+(?:-\d+)*(?![\w-]|\s?-?ch[oō]me)", text[: found.start()] + "," + text[found.end() :]
        )
        street = found["street"] or found["after"] or ""
        if street:
            parts.street = found["all"].strip(" ,") if found["street"] else f"{street} {found['chome']}-chome"
            parts.street = re.sub(r",", "", parts.street)
            parts.house_number = number.group() if number else ""
    else:
        for place, line in enumerate(lines):
            candidate = (
                f"{line} {lines[place + 1]}" if re.fullmatch(r"\d+(?:-\d+)*", line) and place + 1 < len(lines) else line
            )
            if found := JAPANESE_LATIN.match(candidate):
                parts.street = (found["street"] or found["street2"]).strip(" ,")
                parts.house_number = found["number"] or found["number2"]
                break
    parts.unit = ", ".join(rooms)
