"""The 18 standard polysomnography channels and the names that recorders give them."""

import re

from .transliterate import to_ascii


def _eeg(site: str, reference: str) -> tuple[str, list[str]]:
    # A1 and A2 (ears) are also written M1 and M2 (mastoids).
    return f"EEG {site}-{reference}", [f"{site}{reference}", f"{site}{reference.replace('A', 'M')}"]


_CHANNELS: list[tuple[str, list[str]]] = [
    _eeg("F3", "A2"),
    _eeg("F4", "A1"),
    _eeg("C3", "A2"),
    _eeg("C4", "A1"),
    _eeg("O1", "A2"),
    _eeg("O2", "A1"),
    ("EOG LEFT", ["EOGLEFT", "EOGL", "LEOG", "EOG1", "LOC", "LOCA2", "LOCM2", "E1", "E1M2", "E1A2", "EOGLINKS", "EOGLI"]),
    ("EOG RIGHT", ["EOGRIGHT", "EOGR", "REOG", "EOG2", "ROC", "ROCA1", "ROCM1", "ROCA2", "E2", "E2M1", "E2M2", "EOGRECHTS", "EOGRE"]),
    ("EMG CHIN", ["EMGCHIN", "CHIN", "CHINEMG", "EMG", "EMG1", "EMGSUBMENTAL", "SUBMENTAL", "KINN", "EMGKINN", "CHIN1CHIN2"]),
    ("EMG LEFT LEG", ["EMGLEFTLEG", "LEGL", "LLEG", "LEFTLEG", "EMGLEGL", "TIBL", "EMGTIBL", "LAT", "PLML", "PLMLI", "BEINLINKS", "LEG1"]),
    ("EMG RIGHT LEG", ["EMGRIGHTLEG", "LEGR", "RLEG", "RIGHTLEG", "EMGLEGR", "TIBR", "EMGTIBR", "RAT", "PLMR", "PLMRE", "BEINRECHTS", "LEG2"]),
    ("ECG", ["ECG", "EKG", "ECG1", "EKG1", "ECGII", "EKGII", "ECGI", "ECGV2", "ECG1ECG2", "EKG1EKG2"]),
    ("RESP NASAL", ["RESPNASAL", "NASAL", "FLOW", "AIRFLOW", "NASALFLOW", "FLOWTH", "RESPFLOW", "RESPORONASAL", "ORONASAL", "NAF", "LUFTFLUSS", "ATEMFLUSS"]),
    ("RESP THORAX", ["RESPTHORAX", "THORAX", "THOR", "THO", "CHEST", "RESPCHEST", "THORACIC", "THORRES", "BRUST", "EFFORTTHO"]),
    ("RESP ABDOMEN", ["RESPABDOMEN", "ABDOMEN", "ABDO", "ABD", "RESPABDOMINAL", "ABDOMINAL", "ABDORES", "BAUCH", "EFFORTABD"]),
    ("SNORE", ["SNORE", "SNORING", "SCHNARCH", "SCHNARCHEN", "MIC", "MIKRO", "SOUNDSNORE"]),
    ("SAO2", ["SAO2", "SPO2", "SO2", "OXIMETRY", "O2SAT", "SAO2SAO2", "SAETTIGUNG"]),
    ("POSITION", ["POSITION", "POS", "BODY", "BODYPOSITION", "BODYPOS", "LAGE", "KOERPERLAGE"]),
]

STANDARD = tuple(name for name, _ in _CHANNELS)
_BY_KEY = {key: name for name, keys in _CHANNELS for key in keys}


def standard_label(label: str) -> str | None:
    """The standard name of a channel label, or None where it has none.

    A bare electrode ("C3") has no standard name: nothing says against which reference it was recorded.
    """
    key = re.sub(r"[^A-Z0-9]", "", to_ascii(label).upper())
    if key in _BY_KEY:
        return _BY_KEY[key]
    return _BY_KEY.get(key.removeprefix("EEG")) if key.startswith("EEG") else None


def harmonise_labels(labels: list[str]) -> list[str]:
    """New labels for all channels of a recording; where two claim one standard name, the first has it."""
    taken: set[str] = set()
    result = []
    for label in labels:
        standard = standard_label(label)
        if standard is None or standard in taken:
            result.append(to_ascii(label))
        else:
            taken.add(standard)
            result.append(standard)
    return result
