"""The EDF+ patient and recording fields, and the dates in them, made out of what a header has."""

import datetime
import re

from .transliterate import to_ascii

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_GERMAN = {"MRZ": 3, "MAI": 5, "OKT": 10, "DEZ": 12}
_SEX = {"M": "M", "F": "F", "X": "X", "MALE": "M", "FEMALE": "F", "W": "F", "MAENNLICH": "M", "WEIBLICH": "F"}
_NUMERIC = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})")
_NAMED = re.compile(r"(\d{1,2})[.-]([A-Z]{3})[.-](\d{4})")
# The standard's date for "unknown", which is also the first day of its two-digit years (1985 to 2084).
UNKNOWN_DATE = "01.01.85"


def parse_date(value: str) -> datetime.date | None:
    """Reads dd.mm.yy, dd/mm/yyyy, yyyy-mm-dd, dd-MMM-yyyy and their mixtures; None where it is no date."""
    value = value.strip().upper()
    if named := _NAMED.fullmatch(value):
        month = MONTHS.index(named[2]) + 1 if named[2] in MONTHS else _GERMAN.get(named[2], 0)
        return _date(int(named[3]), month, int(named[1]))
    if numeric := _NUMERIC.fullmatch(value):
        first, second, third = numeric.groups()
        if len(first) == 4:
            return _date(int(first), int(second), int(third))
        year = int(third)
        return _date(year + (1900 if year >= 85 else 2000) if len(third) <= 2 else year, int(second), int(first))
    return None


def _date(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def plus_date(date: datetime.date | None) -> str:
    """dd-MMM-yyyy, or X."""
    return "X" if date is None else f"{date.day:02}-{MONTHS[date.month - 1]}-{date.year:04}"


def patient_field(value: str) -> str:
    """`id sex birthdate name`, with X for what is not known and _ for spaces inside a name."""
    words = to_ascii(value).split()
    if len(words) >= 4 and words[1].upper() in ("M", "F", "X") and (words[2] == "X" or parse_date(words[2])):
        return " ".join([words[0], words[1].upper(), plus_date(parse_date(words[2])), *words[3:]])
    words = [word.strip(",;") for word in words]
    sex = next((word for word in words if word.upper() in _SEX and word.upper() != "X"), None)
    birth = next((word for word in words if parse_date(word)), None)
    rest = [word for word in words if word and word not in (sex, birth, "X")]
    code = next((word for word in rest if any(c.isdigit() for c in word)), None)
    name = "_".join(word for word in rest if word != code)
    return " ".join([code or "X", _SEX[sex.upper()] if sex else "X", plus_date(parse_date(birth or "")), name or "X"])


def start_date(header_date: str, recording: str) -> datetime.date | None:
    """The day a recording started: EDF+'s own field, which has the century, before the header's."""
    words = recording.split()
    if len(words) >= 2 and words[0].lower() == "startdate" and (date := parse_date(words[1])):
        return date
    return parse_date(header_date)


def header_date(date: datetime.date | None) -> str:
    """dd.mm.yy; the standard writes yy for years after 2084."""
    if date is None:
        return UNKNOWN_DATE
    return f"{date.day:02}.{date.month:02}.{date.year % 100:02}" if 1985 <= date.year <= 2084 else f"{date.day:02}.{date.month:02}.yy"


def header_time(value: str) -> str:
    """hh.mm.ss; midnight where the header has no valid time."""
    match = re.fullmatch(r"(\d{1,2})[.:](\d{1,2})[.:](\d{1,2})", value.strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59 or int(match[3]) > 59:
        return "00.00.00"
    return ".".join(f"{int(part):02}" for part in match.groups())


def recording_field(value: str, date: datetime.date | None) -> str:
    """`Startdate dd-MMM-yyyy administration technician equipment`."""
    words = to_ascii(value).split()
    if words[:1] and words[0].lower() == "startdate":
        words = words[2:]
        words += ["X"] * (3 - len(words))
        return " ".join(["Startdate", plus_date(date), *words])
    return " ".join(["Startdate", plus_date(date), "X", "X", "_".join(words) or "X"])
