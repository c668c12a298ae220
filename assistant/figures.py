"""The figures of a text, each in one spelling: numbers, money, percentages, dates, times, addresses of the net."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Literal

Kind = Literal["number", "money", "percent", "ordinal", "time", "date", "day", "address"]
Role = Literal["", "from", "to", "by", "least", "over", "most", "under", "nearly", "before", "after", "among"]

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SHORT_SCALES = {"k": 1000, "m": 10**6, "mn": 10**6, "bn": 10**9, "tn": 10**12}
_VALUES = {word: n for n, word in enumerate(_UNITS)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_ORDINALS = {
    word: n
    for n, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth"
        " fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split(),
        1,
    )
}
_PARTS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
_CURRENCIES = {
    "£": "£", "gbp": "£", "pound": "£", "pounds": "£", "sterling": "£", "€": "€", "eur": "€", "euro": "€", "euros": "€",
    "$": "$", "us$": "$", "usd": "$", "dollar": "$", "dollars": "$", "¥": "¥", "yen": "¥", "₹": "₹", "rupees": "₹",
    "p": "£", "pence": "£", "cents": "$",
}  # fmt: skip
_HUNDREDTHS = frozenset(("p", "pence", "cents"))

_DIGITS = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_SPELT = rf"(?:{'|'.join([*_UNITS[::-1], *_TENS])})"
_SCALE = rf"(?:{'|'.join(_SCALES)})s?"
_WORDS = (
    rf"(?:\b(?:an?\s+(?={_SCALE}\b)|{_SPELT}(?:[\s-]{_SPELT})?\b|{_SCALE}\b)"
    rf"(?:[\s-]+{_SCALE}\b|(?<=hundred)\s+and\s+{_SPELT}(?:[\s-]{_SPELT})?\b|(?<=[dn])\s+{_SPELT}(?:[\s-]{_SPELT})?\b)*)"
)
_SIGN = r"(?:(?<![\w.)])[-−–](?=[\d.])|\bminus\s+)?"
_N = rf"(?<![\w.]){_SIGN}(?:{_DIGITS})|(?<![\w-]){_WORDS}"
_COUNT = rf"(?:{_N})(?:\s?(?:million|billion|trillion|thousand|hundred|dozen|bn|mn|tn|k(?![\w²³]))\b)?"
_AMOUNT = rf"(?:{_N})(?:\s?(?:million|billion|trillion|thousand|hundred|dozen|bn|mn|tn|[mk](?![\w²³]))\b)?"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?<![\d.,£$€])\d{1,2}(?:st|nd|rd|th)?\b"
_YEAR = r"(?:1\d|20|21)\d\d(?!\d|[.,]\d)"
_CLOCK = r"(?<![\d.,:£$€])(?:[01]?\d|2[0-4])"
_PATTERNS = {
    "email": r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "url": r"(?:https?://|www\.)[^\s<>\"')\]]+|(?<![\w@.-])[a-z][\w-]*(?:\.[a-z][\w-]*)*\.(?:org|com|net|gov|edu|uk|eu|info|io|int|example)\b(?:/[^\s<>\"')\]]*)?",
    "phone": r"(?<![\w.,£$€])(?:(?:\+\d{1,3}[ -]?)?\(?0\d{1,5}\)?(?:[ -]\d{3,6}){1,3}|\+\d[\d -]{7,14}\d|0\d{8,12}|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?![\d,.]?\d)",
    "iso": r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)",
    "slashed": r"(?<![\d/.])\d{1,2}(?P<between>[/.-])\d{1,2}(?P=between)(?:\d{4}|\d{2})(?![\d/]|\.\d)",
    "dayfirst": rf"(?:{_DAY}(?:\s?[-–,]\s?|\s+(?:and|to|or)\s+)){{0,6}}{_DAY}(?:\s+day)?(?:\s+of)?\s+{_MONTH}(?:,?\s+{_YEAR})?",
    "monthfirst": rf"\b{_MONTH}\s+(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?\b(?![.,:]?\d|\s?[ap]\.?m\b)(?:,?\s+{_YEAR})?",
    "month": rf"\b{_MONTH}(?:,?\s+(?:of\s+)?{_YEAR})|(?:(?<=\bin )|(?<=\bby )|(?<=\bof )|(?<=since )|(?<=until )|(?<=during )|(?<=from )|(?<=\bto )|(?<=last )|(?<=next )|(?<=this )|(?<=early )|(?<=late )|(?<=each )|(?<=every )){_MONTH}(?!\s+(?-i:[A-Z]))",
    "time": rf"{_CLOCK}(?:[:.][0-5]\d)?\s?[ap]\.?\s?m\b\.?|{_CLOCK}:[0-5]\d(?![\d:])|\b(?:noon|midday|midnight)\b|{_CLOCK}\s?o[’']?clock\b",
    "years": r"(?<![\d.,£$€-])(?:1\d|20)\d\d\s?[-–/]\s?(?:(?:1\d|20)\d\d|\d\d)(?![\d-])",
    "decade": r"(?:\b(?:1\d|20)|[’'])\d0s\b",
    "version": r"(?<![\w.])\d+(?:\.\d+){2,}",
    "ratio": rf"(?<![\w./£$€])\d+/\d+(?![\w/]|\s+{_MONTH})",
    "label": r"(?<![\w.,£$€¥₹])\d+(?:(?-i:[A-JLN-Z]|[a-f])\b|\([a-z]{1,3}\))",
    "nth": rf"(?<![\w.,])\d+(?:st|nd|rd|th)\b|\b(?:(?:{'|'.join(_TENS)})[\s-])?(?:{'|'.join(_ORDINALS)})\b",
    "part": r"\b(?:a|an|one|two|three|four)[\s-](?:half|third|quarter|fifth|tenth)s?\b(?=\s+of\b|[\s-])|\bhalf(?=\s+(?:of|the|a|its|their|all)\b)",
    "percent": rf"(?:{_N})\s?(?:%|per\s?cent\b|percent\b|pct\b|percentage points?\b)",
    "money": rf"(?:(?:\b[a-z]{{1,3}})?\$|[£€¥₹]|\b(?:gbp|eur|usd)\s)\s?(?:{_AMOUNT})|(?:{_COUNT})\s?(?:pounds?|euros?|dollars?|pence|p|cents|gbp|eur|usd)\b",
    "number": _COUNT,
}  # fmt: skip
_FIGURE = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items()), re.I)
_NUMBER_WORD = re.compile(r"[a-z]+", re.I)
_NO_FIGURE = re.compile(r"(?:\b(?:no|any|every|each|some|another)[\s-]?$)", re.I)
_PRONOUN = re.compile(r"\s+(?:of|another|by\s+one|or\s+more)\b|[’']s\b", re.I)

# Words before a figure that say how it is meant, the longest first; what only blurs it is passed over.
_BLUR = r"(?:(?:about|around|approximately|approx\.?|roughly|some|only|just|the|an?|age|aged|as\s+many\s+as)\s+)*"
_MOVES = (
    r"(?:rose|risen|rises|grew|grown|fell|fallen|up|down|increased?|decreased?|dropped|declined|reduced|cut|raised"
    r"|(?:rise|increase|growth|fall|decrease|drop|decline|reduction|cut|gain)\s+of)"
)
_LEADS: tuple[tuple[Role, str], ...] = (
    ("among", rf"(?:{_SPELT}|\d[\d,.]*|some|most|many|few|half|several|none|any|each)\s+(?:\w+\s+)?(?:out\s+)?of"),
    ("most", r"up\s+to|at\s+(?:the\s+)?most|no(?:t)?\s+(?:more|later|older|longer)\s+than|maximum(?:\s+\w+)?(?:\s+of|\s+is)?"),
    ("least", r"at\s+(?:the\s+)?least|no(?:t)?\s+(?:fewer|less|earlier|younger)\s+than|minimum(?:\s+\w+)?(?:\s+of|\s+is)?"),
    ("over", r"(?:more|greater|higher|older|longer|larger)\s+than|over|above|exceed(?:s|ed|ing)?|in\s+excess\s+of|upwards\s+of|beyond"),
    ("under", r"(?:less|fewer|lower|younger|shorter|smaller)\s+than|under|below"),
    ("nearly", r"nearly|almost|close\s+to"),
    ("before", r"before|prior\s+to|ahead\s+of"),
    ("after", r"after|following"),
    ("from", r"from|since|starting|beginning"),
    ("to", r"(?<!\bdue )to|until|till|through"),
    ("by", rf"by|{_MOVES}"),
)  # fmt: skip
_BEFORE = tuple((role, re.compile(rf"\b(?:{pattern})\s+{_BLUR}$", re.I)) for role, pattern in _LEADS)
_AFTER: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("least", re.compile(r"\+|\s+(?:\w+\s+)?(?:or|and)\s+(?:more|over|above|older|upwards)\b", re.I)),
    ("most", re.compile(r"\s+(?:\w+\s+)?(?:or|and)\s+(?:less|fewer|under|below|younger)\b", re.I)),
    (
        "by",
        re.compile(r"\s+(?:rise|increase|growth|fall|decrease|drop|decline|reduction|cut|gain|higher|lower)\b", re.I),
    ),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a text."""

    kind: Kind
    value: tuple[object, ...]
    """Equal or not within a kind: `(day, month, year)` of a date, None for what isn't said; minutes of a time."""
    start: int
    end: int
    """In characters of the text."""
    text: str
    """As written."""
    role: Role = ""
    """How it is meant: a start, a limit, a difference."""

    def says(self, other: Figure) -> bool:
        """Whether it holds what `other` says: the same, or a date that is more exact."""
        if self.kind == "date" and other.kind == "date" and len(self.value) == len(other.value) == 3:
            return all(theirs is None or ours == theirs for ours, theirs in zip(self.value, other.value, strict=True))
        if self.kind == "date" and other.kind == "number" and len(self.value) == 3:
            return other.value == (self.value[2],)
        return self.kind == other.kind and self.value == other.value


@lru_cache(4096)
def figures_in(text: str) -> tuple[Figure, ...]:
    """The figures of a text in order; the ends of a range follow it."""
    found: list[Figure] = []
    for figure in _scanned(text):
        before = found[-1] if found else None
        if before is not None and _joins(before, figure, text):
            low = replace(before, kind=figure.kind, role="from")
            if figure.kind == "money" and before.kind == "number":
                low = replace(low, value=(*figure.value[:1], *before.value))
            whole = text[before.start : figure.end]
            found[-1:] = [
                replace(figure, value=(low.value, figure.value), start=before.start, text=whole),
                low,
                replace(figure, role="to"),
            ]
        else:
            found.append(replace(figure, role=_role(text, figure)))
    return tuple(found)


def figures(text: str) -> set[str]:
    """Numbers of a text in one spelling: digits without separators, words as digits, with their £, $, € or %."""
    return {_spelt(f) for f in figures_in(text) if f.kind != "address"}


def _spelt(figure: Figure) -> str:
    value = figure.value
    if figure.kind == "date":
        return "-".join("" if part is None else str(part) for part in value)
    if figure.kind == "time":
        return f"{int(str(value[0])) // 60}:{int(str(value[0])) % 60:02}"
    if figure.kind == "money":
        return f"{value[0]}{_short(value[1])}" if isinstance(value[0], str) else figure.text
    mark = {"percent": "%", "ordinal": "."}.get(figure.kind, "")
    return f"{_short(value[0])}{mark}" if len(value) == 1 else figure.text


def _short(value: object) -> str:
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"
    return str(value)


def _joins(low: Figure, high: Figure, text: str) -> bool:
    """Whether two figures are the ends of one range."""
    between = text[low.end : high.start]
    if low.kind not in ("number", high.kind) or high.kind not in ("number", "money", "percent") or len(low.value) > 2:
        return False
    if re.fullmatch(r"\s?[-–—]\s?", between):
        return True
    words = between.strip().lower()
    return (words == "to" and low.role == "") or (
        words == "and" and re.search(r"\bbetween\s*$", text[: low.start]) is not None
    )


def _role(text: str, figure: Figure) -> Role:
    before, after = text[max(0, figure.start - 60) : figure.start], text[figure.end : figure.end + 30]
    for role, pattern in _AFTER:
        if pattern.match(after):
            return role
    return next((role for role, pattern in _BEFORE if pattern.search(before)), "")


def _scanned(text: str) -> Iterator[Figure]:
    for match in _FIGURE.finditer(text):
        name, written = match.lastgroup or "", match.group()
        for kind, value in _READERS.get(name, _number)(written):
            plain = written.lower().strip()
            one = plain == "one" and (_NO_FIGURE.search(text[: match.start()]) or _PRONOUN.match(text, match.end()))
            if not one:
                yield Figure(kind, value, match.start(), match.end(), written)


Read = Iterator[tuple[Kind, tuple[object, ...]]]


def _amount(written: str) -> Fraction | None:
    """Value of digits or number words with their scale; None where two numbers stand side by side."""
    text = re.sub(r"[−–]", "-", written.lower().strip())
    sign = -1 if text.startswith(("-", "minus")) else 1
    text = re.sub(r"^(?:-|minus\s+)", "", text)
    digits = re.match(_DIGITS, text)
    total = Fraction(0)
    if digits:
        total = Fraction(digits.group().replace(",", ""))
        for word in _NUMBER_WORD.findall(text[digits.end() :]):
            total *= Fraction((_SCALES | _SHORT_SCALES).get(word.removesuffix("s"), 1))
        return sign * total
    part = Fraction(0)
    for word in _NUMBER_WORD.findall(text):
        bare = word if word in _VALUES else word.removesuffix("s")
        if bare in _VALUES:
            small = part % 100
            if small and not (small >= 20 and small % 10 == 0 and 0 < _VALUES[bare] < 10):
                return None
            part += _VALUES[bare]
        elif bare in _SCALES:
            scale = _SCALES[bare]
            if scale in (12, 100):
                part = (part or Fraction(1)) * scale
            else:
                total, part = total + (part or Fraction(1)) * scale, Fraction(0)
    return sign * (total + part)


def _number(written: str) -> Read:
    several = written.lower().strip()
    value = several if several.removesuffix("s") in _SCALES and several.endswith("s") else _amount(written)
    if value is not None:
        yield "number", (value,)
        return
    for word in re.findall(r"\w+", written.lower()):
        if word in _VALUES:
            yield "number", (Fraction(_VALUES[word]),)


def _money(written: str) -> Read:
    lower = written.lower()
    sign = re.search(r"[a-z]*\$|[£€¥₹]|\b(?:gbp|eur|usd)\b|(?:pounds?|euros?|dollars?|pence|p|cents)$", lower)
    currency = sign.group() if sign else ""
    value = _amount(lower.replace(currency, " ", 1) if not lower.endswith(currency) else lower[: -len(currency)])
    if value is not None:
        yield "money", (_CURRENCIES.get(currency, currency), value / 100 if currency in _HUNDREDTHS else value)


def _percent(written: str) -> Read:
    value = _amount(re.sub(r"\s?(?:%|per\s?cent|pct|percentage points?)$", "", written, flags=re.I))
    if value is not None:
        yield "percent", (value, "points") if "point" in written.lower() else (value,)


def _part(written: str) -> Read:
    first, *rest = re.split(r"[\s-]", written.lower())
    many = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4}.get(first, 1)
    yield "percent", (Fraction(100 * many, _PARTS[(rest[-1] if rest else first).removesuffix("s")]),)


def _nth(written: str) -> Read:
    digits = re.match(r"\d+", written)
    tens, _, last = written.lower().replace(" ", "-").rpartition("-")
    yield "ordinal", (int(digits.group()) if digits else _VALUES.get(tens, 0) + _ORDINALS[last],)


def _time(written: str) -> Read:
    text = written.lower()
    if text[0] in "nm":
        yield "time", (0 if text == "midnight" else 720,)
        return
    hour, *minute = (int(n) for n in re.findall(r"\d+", text))
    half = re.search(r"([ap])\.?\s?m", text)
    if half:
        hour = hour % 12 + (12 if half[1] == "p" else 0)
    yield "time", (hour % 24 * 60 + (minute[0] if minute else 0),)


def _date(written: str) -> Read:
    month = re.search(_MONTH, written, re.I)
    name = month.group()[:3].lower() if month else ""
    numbers = [int(n) for n in re.findall(r"\d+", written)]
    if month and month.group() in ("may", "march"):  # a verb
        yield from (("number", (Fraction(n),)) for n in numbers)
        return
    year = next((n for n in numbers if n > 999), None)
    days: list[int | None] = [n for n in numbers if n <= 999]
    for day in days or [None]:
        yield "date", (day, _MONTH_NUMBERS[name], year)


def _iso(written: str) -> Read:
    year, month, day = (int(n) for n in written.split("-"))
    yield "date", (day, month, year)


def _slashed(written: str) -> Read:
    """Day and month are told apart only where one is above 12; else the date agrees with nothing but its like."""
    one, two, year = (int(n) for n in re.findall(r"\d+", written))
    year += (2000 if year < 50 else 1900) if year < 100 else 0
    if one == two or two > 12:
        yield "date", (two, one, year)
    elif one > 12:
        yield "date", (one, two, year)
    else:
        yield "date", (one, two, year, "either way")


def _years(written: str) -> Read:
    first, last = re.findall(r"\d+", written)
    yield "date", (int(first), int(first[:2] + last if len(last) == 2 else last))


def _as_written(kind: Kind) -> Callable[[str], Read]:
    def read(written: str) -> Read:
        text = re.sub(r"^(?:https?://)?(?:www\.)?|[./,;:]+$", "", written.lower())
        digits = re.sub(r"\D", "", text)
        yield kind, (digits if digits and not re.search(r"[a-z]", text) and kind == "address" else text,)

    return read


_MONTH_NUMBERS = {m: n for n, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_READERS: dict[str, Callable[[str], Read]] = {
    "email": _as_written("address"), "url": _as_written("address"), "phone": _as_written("address"),
    "iso": _iso, "slashed": _slashed, "dayfirst": _date, "monthfirst": _date, "month": _date, "time": _time,
    "years": _years, **dict.fromkeys(("decade", "version", "ratio", "label"), _as_written("number")), "nth": _nth,
    "part": _part, "percent": _percent, "money": _money,
}  # fmt: skip
