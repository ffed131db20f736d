"""Small recordings for the tests, as bytes, with any header field replaceable."""

import struct

DEFAULTS = {
    "label": "EEG C3-A2",
    "transducer": "",
    "dimension": "uV",
    "physical_min": "-100",
    "physical_max": "100",
    "digital_min": "-1000",
    "digital_max": "1000",
    "prefilter": "",
    "samples": 4,
    "reserved": "",
}
WIDTHS = {
    "label": 16, "transducer": 80, "dimension": 8, "physical_min": 8, "physical_max": 8,
    "digital_min": 8, "digital_max": 8, "prefilter": 80, "samples": 8, "reserved": 32,
}  # fmt: skip


def field(value, width: int) -> bytes:
    data = value if isinstance(value, bytes) else str(value).encode("latin-1")
    return data[:width].ljust(width)


def recording(signals=({},), records=2, samples=None, **header) -> bytes:
    """An EDF file; `samples` are the data records' values in order, by default 0, 1, 2, ..."""
    signals = [{**DEFAULTS, **signal} for signal in signals]
    count = records * sum(int(signal["samples"]) for signal in signals)
    values = list(samples) if samples is not None else [i % 500 for i in range(count)]
    parts = [
        field(header.get("version", "0"), 8),
        field(header.get("patient", "X X X X"), 80),
        field(header.get("recording", "Startdate X X X X"), 80),
        field(header.get("date", "24.04.89"), 8),
        field(header.get("time", "16.13.00"), 8),
        field(header.get("header_bytes", 256 * (1 + len(signals))), 8),
        field(header.get("reserved", ""), 44),
        field(header.get("record_count", records), 8),
        field(header.get("record_seconds", 1), 8),
        field(header.get("signal_count", len(signals)), 4),
    ]
    for name, width in WIDTHS.items():
        parts += [field(signal[name], width) for signal in signals]
    return b"".join(parts) + struct.pack(f"<{len(values)}h", *values)
