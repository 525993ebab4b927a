"""The words of an address in each language: street types (a seed), units inside a building, post-office boxes."""

from __future__ import annotations

import functools
import re
from collections import defaultdict

from udfs.lists import read_words

_ID = r"(?:[\w]*\d[\w./-]*|[a-zA-Z]{1,2})(?!\w)"
_NO = r"(?:(?:no|nr|nº|n°|n\.º|num|núm|№|č)\.?:?\s*)?"

# A unit as people write it: a word with its number, a floor by ordinal, or a word alone.
UNITS = {
    "de": (
        rf"(?:Whg|Wohnung|WE|App|Appartement|Apartment|Apt|Top|Tür|Tuer|Stiege|Stg|Stock|Etage|OG|Block|Eingang|"
        rf"Zimmer|Zi|Raum|Aufgang)\.?\s*"
        rf"{_NO}[\w./]*\d[\w./]*(?:\s?/\s?(?:Top|Tür|Stock|Stiege)\s?\d+)*|W\s\d+|(?:Top|Stiege|Block|App|Eingang|"
        rf"Zimmer|Aufgang)\.?\s[A-Z]|"
        r"\d{1,2}\.\s?(?:OG|Obergeschoss|Obergeschoß|Stock|Stockwerk|Etage|UG|Geschoss)\.?(?:[\s,]+(?:links|rechts|"
        r"mitte|li|re|mi|l|r)\b\.?)?|"
        r"(?:EG|DG|UG|Erdgeschoss|Erdgeschoß|Dachgeschoss|Hochparterre|Parterre|Souterrain|Hinterhaus|Vorderhaus|"
        r"Seitenflügel|HH|VH|Gartenhaus|Rückgebäude|Hinterhof|Nebengebäude)"
        r"(?:[\s,]+(?:links|rechts|mitte|li|re)\b\.?)?"
    ),
    "fr": (
        rf"(?:appartement|appart|appt|app|apt|bte|boîte|boite|étage|etage|escalier|esc|bâtiment|batiment|bât|bat|"
        rf"porte|pte|studio|entrée|entree|hall|"
        rf"bureau|bur|suite|local|niveau|lot|b[âa]t|unité|unite)\b\.?\s*{_NO}{_ID}|(?:\d{{1,2}}\s?(?:er|re|e|è|ème|"
        rf"eme|ᵉ|ième)|premier|deuxième)\s+(?:étage|etage)"
        r"(?:\s+(?:droite|gauche|face))?|(?:porte|pte|étage)\s(?:de\s)?(?:gauche|droite|face)|rdc|"
        r"rez[- ]de[- ]chaussée|sous-sol"
    ),
    "nl": (
        rf"(?:bus|bte|boîte|appartement|app|apt|verdieping|verd|etage|kamer|unit|huis)\b\.?\s*{_NO}{_ID}|"
        rf"\d{{1,2}}(?:e|de|ste)\s+(?:verdieping|etage)|"
        r"begane grond"
    ),
    "en": (
        rf"(?:flat|apartment|apt|apartments|units?|suite|ste|level|lvl|floor|fl|room|rm|shop|office|off|studio|villa|"
        rf"block|blk|bldg|building|tower|wing|door|lot|"
        rf"kiosk|warehouse|bay|penthouse|maisonette|plot|app|appartement|bureau|"
        rf"cabin|berth|townhouse|villa no|maisonette)\b\.?\s*{_NO}(?:{_ID}|one|two|three|four|five)(?:\s?&\s?\d+)?|"
        rf"#\s?[\w-]+|"
        r"(?:\d{1,3}(?:st|nd|rd|th)|ground|first|second|third|fourth|fifth|sixth|top|lower ground|upper ground|upper|"
        r"basement|mezzanine)\s+(?:floor flat|floor|flr|fl|flat|level)|"
        r"\d{1,3}/F\.?|G/F\.?|UG/F|basement|(?:basement|garden|attic|top|rear) flat|penthouse"
    ),
    "es": (
        rf"(?:piso|planta|puerta|pta|escalera|esc|dpto|depto|dto|dep|departamento|interior|int|apartamento|apartado|"
        rf"apto|apt|oficina|ofic|of|local|"
        rf"torre|bloque|blq|bl|portal|casa|manzana|mz|mza|lote|lt|bodega|despacho|nave|edificio|edif|pl|pb|cuerpo|"
        rf"unidad|sector|consultorio|p)\b\.?\s*{_NO}{_ID}|"
        r"\d{1,2}(?:r|n|t|è|e)\s?-?\s?\d{1,2}a|\d{1,2}\s?\.?\s?(?:º|ª|°|er|er\.|o|do|ro|to)\.?\s?(?:piso|"
        r"planta)?[\s,-]*(?:(?:\d{1,2}\s?\.?[ºª°]|[A-J]|iz(?:q(?:uierda|da)?|da|do)|dch[ao]|der(?:echa)?|dch|centro|"
        r"ctro|"
        r"pta\.?\s?\w+|puerta\s\w+|int(?:erior)?|ext(?:erior)?|dto|dpto)\.?)?(?!\w)|"
        r"(?:bajos?|bajo|ático|atico|entresuelo|entlo|entreplanta|principal|pral|sótano|sobreático|planta baja|"
        r"p\.?\s?b|semisótano)\b\.?"
        r"(?:[\s,]+(?:\d{1,2}[ºª°]?|[A-J]|iz(?:q(?:uierda|da)?|da|do)|dch[ao]|derecha|centro)\b\.?)?"
    ),
    "pt": (
        rf"(?:apartamento|apto|aptº|apt|ap|bloco|bl|sala|salas|sl|andar|casa|cs|conjunto|conj|cj|loja|lj|torre|lote|"
        rf"lt|quadra|qd|fração|fracção|porta|cobertura|cob|"
        rf"unidade|escritório|box|galpão|piso|edif[ií]cio|ed)\b\.?\s*{_NO}{_ID}|fundos|sobreloja|térreo|"
        r"\d{1,2}\s?\.?\s?(?:º|ª|°|o)\.?\s?(?:andar|piso)?[\s,-]*(?:(?:[A-J]|esq(?:uerdo|uerda)?|dt\.?º|d(?:ir|to|ta)|"
        r"direito|frente|frt|ft|tr[áa]s|centro)\.?)?(?!\w)|"
        r"(?:r/c|rés[- ]do[- ]chão|rc|cave|sub-?cave|s/c|s/l)[\s.]*(?:(?:esq|dto|dt|drt|[A-J])\b\.?)?"
    ),
    "it": (
        rf"(?:interno|int|scala|sc|piano|palazzina|pal|appartamento|app|edificio|ed|blocco|lotto|p|isolato|is|corpo|"
        rf"torre)\b\.?\s*{_NO}{_ID}|"
        r"(?:\d{1,2}\s?[°º]|primo|secondo|terzo|quarto|quinto)\s+piano|piano (?:terra|rialzato|primo|secondo|terzo)|"
        r"seminterrato"
    ),
    "sv": r"lgh\.?\s*(?:nr\.?\s*)?\w+|lägenhet\s*\d+|\d{1,2}\s?tr\.?(?:\s(?:ö\.?\s?g|n\.?\s?b|u|t\.?\s?[hv])\.?)?|"
    r"(?:våning|vån|plan|uppgång|port)\.?\s\w+|\d{1,2}\s?(?:vån|våningen)\b\.?|bv|nb",
    "no": r"[HUKL]\d{4}|(?:leil(?:ighet)?|leil\.?nr|etasje|etg|oppgang|inngang)\.?\s?\w+|\d{1,2}\.?\s?(?:etg|etasje|"
    r"et)\b\.?(?:[\s,]*(?:t\.?[hv]|venstre|høyre)\.?)?",
    "da": (
        r"(?:lejl(?:ighed)?|lej)\.?\s*(?:nr\.?\s*)?(?:\d{1,2}\.?\s?(?:sal)?,?\s*(?:tv|th|mf)\.?|\d+\w?)|"
        r"(?:\d{1,2}\.|st\.?|kl\.?|stuen|kælderen)\s?(?:sal\b\.?)?,?\s*(?:t\.?\s?v|t\.?\s?h|m\.?\s?f|dør\s?\w+|"
        r"d\.?\s?\d+|(?<=\s)\d{1,4}|(?<=\s)[a-d])?(?!\w)\.?|opgang\s\w+|\d{1,2}\.?\s+(?:sal)\b\.?"
    ),
    "fi": r"(?:as|asunto|huoneisto|krs|kerros|porras|rappu|bst|lgh)\.?\s*\w+|[A-Z]\s?\d{1,3}[a-c]?|"
    r"\d{1,2}\.\s?(?:krs|kerros)\.?",
    "is": r"(?:íbúð|ibud|hæð)\.?\s*\w+|\d\.\s?hæð",
    "pl": rf"(?:m|lok|lokal|mieszk|mieszkanie|kl|klatka|piętro|pietro|p|pok|pokój|apt|box|budynek|bud|"
    rf"sekcja)\b\.?\s*{_NO}{_ID}|\d{{1,2}}\.?\s?(?:piętro|p\.)|[IVX]+\s?(?:piętro|p\.)|parter",
    "cs": rf"(?:byt|bytu|č\.\s?b|č\.\s?bytu|patro|poschodí|posch|podlaží|vchod|dveře|kancelář|kanc|"
    rf"p)\b\.?\s*{_NO}{_ID}|\d{{1,2}}\.?\s?(?:patro|poschodí|podlaží|p\.|NP)|přízemí",
    "sk": rf"(?:byt|poschodie|posch|vchod|dvere|kancelária|blok)\b\.?\s*{_NO}(?:č\.\s*)?{_ID}|"
    rf"\d{{1,2}}\.?\s?(?:poschodie|posch)\b\.?|prízemie",
    "hu": (
        r"(?:(?:[IVX]+|\d{1,2})\.?\s?(?:emelet|em|lh|lph|lépcsőház)\b\.?|fszt\b\.?|földszint|mfszt\.?|"
        r"félemelet)(?:[\s,/]*(?:\d{1,3}[a-z]?|[A-Z])(?:\.|(?=\s|$))(?:\s?(?:ajtó|a)\b\.?)?)?|"
        r"\d{1,3}\.?\s?ajtó\.?|(?:[IVX]+|\d{1,2})\.?/\d{1,3}\.?[a-z]?|(?:lépcsőház|lph|épület|ép|ajtó|"
        r"lakás)\.?\s\w+\.?|[A-Z]\.?\s?(?:ép|lh|lph|épület|lépcsőház)\b\.?"
    ),
    "el": r"(?:διαμ(?:έρισμα)?|όροφος|ορ|γραφείο|diam|orofos|apt|floor|flat|office)\.?\s*\w+|\d{1,2}(?:ος|ου|oς|"
    r"os)\.?\s*(?:όροφος|ορόφου|ορ\.|orofos)|ισόγειο",
    "tr": r"(?:daire|dai|da|d|kat|k|blok|bl|iç kapı|ic kapi|ofis|apt\.?\s?no)\b\.?\s*(?:no)?\.?\s?:?\s*(?:\d{1,4}\w?|"
    r"[A-Z])(?!\w)|[A-Z]\d?[\s-](?:blok|blk|bl)\b\.?|\d{1,2}\.\s?(?:kat|blok)|zemin kat|bodrum kat",
    "ro": r"(?:bloc|blocul|bl|scara|sc|etaj|etajul|et|apartament|apartamentul|apart|ap|tronson|tr|corp|camera|cam|"
    r"birou|interfon|int|parter)\b\.?\s*(?:nr\.?\s*)?[\w./-]+|parter|mezanin",
    "ru": (
        r"(?:квартира|кв|офис|оф|этаж|эт|подъезд|под|помещение|помещ|пом|комната|комн|ком|каб|кабинет|секция|"
        r"парадная|пар|бокс|литера|"
        r"kvartira|kv|ofis|office|of|apartment|apt|app|floor|etazh|room|под’їзд|поверх|ап|вход|вх|"
        r"ет)\b\.?\s*(?:№\s?)?[\w/-]+|\d{1,2}[-\s]?(?:й)?\s(?:этаж|поверх)"
    ),
    "bg": r"(?:ет|етаж|ап|апартамент|вх|вход|бл|блок|офис|et|ap|vh|vx|bl)\b\.?\s*(?:№\s?)?[\w/-]+",
    "hr": r"(?:stan|kat|ulaz|lokal|apt)\b\.?\s*\w+|\d{1,2}\.\s?kat|(?:prizemlje)",
    "lv": r"(?:dz|dzīvoklis|dziv|korp|stāvs)\b\.?\s*\w+|\d{1,2}\.\s?stāvs",
    "lt": r"(?:butas|bt|but|kab)\b\.?\s*\w+|\d{1,2}\s?a\.",
    "et": r"(?:korter|krt|korrus)\b\.?\s*\w+|\d{1,2}\.\s?korrus",
    "he": r"(?:דירה|קומה|כניסה|ד'|apt|apartment|flat|floor|entrance|suite)\.?\s*[\w']+|\d{1,2}(?:st|nd|rd|th) floor",
    "ar": r"(?:apt|apartment|flat|floor|office|villa|suite|شقة|مكتب|الدور|طابق|الطابق)\.?\s*(?:no\.?\s*|رقم\s*)?\w+|"
    r"\d{1,3}(?:st|nd|rd|th) floor",
    "ko": r"\d+층|\d+호|\d+동\s?\d+호",
    "ja": r"\d+階",
    "zh": r"\d+室|\d+樓",
    "vi": r"(?:tầng|phòng|căn hộ|floor|room|suite|apartment)\.?\s*\w+|\d{1,2}(?:st|nd|rd|th) floor",
}  # fmt: skip

BOX = re.compile(
    r"^(?:Packstation|Postfiliale|Postfach|Schließfach|Case postale|Postlagernd|Poste restante|Bo[îi]te postale|"
    r"Casella postale|Fermo posta|"
    r"Cas\.\s?post\.|Casetta postale|"
    r"B\.?\s?P\.?|C\.\s?P\.|CP|CS|TSA|Postbus|Antwoordnummer|Apartado(?: de correos| postal| a[ée]reo)?|"
    r"Apdo\.?(?: de correos| postal)?|Apart\.?|A\.\s?A\.|"
    r"Caixa postal|Cx\.?\s?postal|Casilla(?: de correo| postal)?|C\.C\.|Box|Postboks|Pb\.?|Postbox|Boks|Pósthólf|PL|"
    r"Postilokero|P\.?\s?L\.|"
    r"Skr(?:ytka)?\.?\s?(?:poczt(?:owa)?\.?|poczt)|Po[šs]tov[ýá] (?:přihrádka|priečinok)|P\.\s?P\.|Postafiók|Pf\.?|"
    r"Postfiók|C\.?\s?P\.?|Căsu[țt]a po[șs]tal[ăa]|O\.?\s?P\.?|"
    r"а/я|абонентский ящик|абонентська скринька|п\.\s?к\.|пощенска кутия|a/ya|ABK|P\.?K\.|Posta kutusu|PK|Τ\.?Θ\.?|"
    r"T\.?Θ\.?|P\.?\s?p\.|Poštanski pretinac|"
    r"p\.?\s?o\.?\s?box|p\.?\s?o\.?\s?b\.?|post office box|G\.?P\.?O\.? box|locked bag|private bag|cluster box|"
    r"postnet suite|private mail bag|P\.?M\.?B\.?|"
    r"ת\.?ד\.?|ص\.?\s?ب\.?|صندوق بريد|"
    r"私書箱|郵政信箱|邮政信箱|信箱|사서함|general delivery|counter delivery|poste-restante|r\.?r\.?|"
    r"lista de correos|po box|a\.p\.|kotak pos|"
    r"peti surat|apartado|postfack|pašto dėžutė|a\.d\.)(?![^\W\d_])\.?\s*(?P<number>(?:no\.?|nr\.?|n[º°]|№|č\.|"
    r"#)?\s*[\w][\w\s./-]*|$)",
    re.I,
)
NO_NUMBER = re.compile(
    r"[\s,]+(?:s/n(?:[º°o]|úm)?\.?|s\.\s?n\.?|s\.?n\.?c\.?|sin n[úu]mero|sem n[úu]mero|senza numero(?: civico)?|б/н|"
    r"b/n|o\.\s?Nr\.)(?=$|[\s,])",
    re.I,
)
DISTRICT = re.compile(
    r"^(?:col(?:onia)?\.?|fracc(?:ionamiento)?\.?|bairro|barrio|b[oº]\.|sector(?:ul)?\s\d|sect\.?\s\d|"
    r"urb(?:anizaci[óo]n)?\.?|comuna|distrito|alcald[íi]a|deleg(?:aci[óo]n)?\.?|mun(?:icipio)?\.?|"
    r"near|opp(?:osite)?\.?|behind|next to|mcrn|cartier(?:ul)?|мкр\.?|микрорайон|р-н|район|ж\.?к\.?|kv\.|lugar|"
    r"freguesia|frazione|fraz\.|loc(?:alit[àa])?\.|dist(?:rict)?\.?|taluk?a?|post|p\.o\.|"
    r"po\s|barangay|brgy\.?|kelurahan|kel\.|kecamatan|kec\.|taman|piso|lugar)\s+\S|"
    r"\b(?:mah|mahallesi|mahalle|mh|köyü|osb|district|dist|barangay|subdistrict|sub-district|township|county|ward|"
    r"phường|quận|р-н|район|gun|myeon|eup|taluk|tehsil|nagar\s+po)\.?$",
    re.I,
)


@functools.cache
def _words() -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in read_words("street_words"):
        found[row["language"], row["position"]].append(row["word"])
    return found


def _alternatives(languages: tuple[str, ...], position: str) -> str:
    words = {word for language in languages for word in _words().get((language, position), ())}
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


@functools.cache
def street_pattern(languages: tuple[str, ...]) -> re.Pattern[str]:
    """A thoroughfare with its type's word in front, at the end of the name, or as the end of its last word."""
    shapes = []
    if first := _alternatives(languages, "first"):
        shapes.append(rf"^(?:(?:\d+(?:e|er|ère|ª|º|st|nd|rd|th)\s+)?(?:{first}))(?:(?<=\.)|(?<=/)|(?!\w))\s*\S")
    if suffix := _alternatives(languages, "suffix"):
        shapes.append(rf"\w(?:{suffix})(?!\w)")
    if last := _alternatives(languages, "last"):
        shapes.append(rf"\S[\s-]+(?:{last})(?!\w)")
    return re.compile("|".join(shapes) or r"(?!)", re.I)


@functools.cache
def last_word_pattern(languages: tuple[str, ...]) -> re.Pattern[str]:
    """The longest beginning that ends in a street type's word, and what follows without a separator."""
    last = _alternatives(languages, "last") or r"(?!)"
    suffix = _alternatives(languages, "suffix")
    ends = rf"(?:\s+\S+)*?(?:\s+\S+\s(?:{last})" + (rf"|\s+\S*\w(?:{suffix}))" if suffix else ")")
    return re.compile(
        rf"^(?P<street>.*\d\S*{ends}\.?(?!\w)(?:\s+(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West|Upper|Lower|O|"
        rf"\d{{1,3}}[A-Z]?)(?!\w))?)[\s,]+(?!(?:{last})(?!\w))(?P<more>[^\s].*)$",
        re.I,
    )


@functools.cache
def unit_pattern(languages: tuple[str, ...], place: str) -> re.Pattern[str]:
    """Units of these languages: `whole` and nothing else, `last` in a line, `lead`, or `first` before a number."""
    unit = "|".join(UNITS[language] for language in languages if language in UNITS) or r"(?!)"
    if place == "middle":
        return re.compile(rf"^(?P<street>.*\d.*?)[\s,]+(?P<unit>{unit})[\s,]+(?P<city>[^\W\d_][^\d]*)$", re.I)
    if place == "lead":
        return re.compile(rf"^(?P<unit>{unit})(?:[\s,]+|$)", re.I)
    if place == "whole":
        return re.compile(rf"^(?:{unit})(?:[\s,/&-]+(?:{unit}))*\.?$", re.I)
    if place == "last":
        return re.compile(rf"[\s,/-]+(?P<unit>(?<!\w)(?:{unit}))[.,]?$", re.I)
    return re.compile(
        rf"^(?P<unit>(?:{unit})(?:[\s,]+(?:{unit}))*)[\s,]+(?:-\s+)?(?P<rest>(?:No\.?\s*)?\d.*[^\W\d_]{{2}}.*)$", re.I
    )
