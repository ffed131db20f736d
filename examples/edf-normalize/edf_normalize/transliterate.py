"""Text to the printable ASCII that EDF demands, with umlauts spelled out as German does."""

import unicodedata

_SPELLED = str.maketrans(
    {
        "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ẞ": "SS",
        "æ": "ae", "Æ": "Ae", "ø": "oe", "Ø": "Oe", "å": "aa", "Å": "Aa",
        "µ": "u", "μ": "u", "°": "deg", "–": "-", "—": "-",
    }
)  # fmt: skip


def to_ascii(value: str) -> str:
    """Spells umlauts out, drops other accents, and writes "?" for what has no ASCII form."""
    composed = unicodedata.normalize("NFC", value).translate(_SPELLED)
    letters = (c for c in unicodedata.normalize("NFKD", composed) if not unicodedata.combining(c))
    return "".join(c if " " <= c <= "~" else "?" for c in letters).strip()
