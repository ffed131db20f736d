"""Reading and writing EDF and EDF+ files: headers as values, data records in chunks of bounded size.

Format: https://www.edfplus.info/specs/edf.html and edfplus.html. A header of 256 bytes and 256 more for each
signal, ASCII fields padded with spaces; then data records of little-endian int16 samples.
"""

import math
import os
import re
from dataclasses import dataclass

import numpy as np

from .errors import FileFailure, MalformedEdf

ANNOTATIONS = "EDF Annotations"
# Bytes of data records held in memory at once, unless one record alone is larger.
CHUNK_BYTES = 512 * 1024
# One record is held whole; the specification recommends at most 61,440 bytes.
MAX_RECORD_BYTES = 8 * 1024 * 1024
SAMPLE = np.dtype("<i2")


@dataclass
class Signal:
    """One channel; text fields are decoded and stripped."""

    label: str
    transducer: str
    dimension: str
    physical_min: float
    physical_max: float
    digital_min: int
    digital_max: int
    prefilter: str
    samples_per_record: int
    reserved: str = ""

    @property
    def is_annotation(self) -> bool:
        return self.label == ANNOTATIONS


@dataclass
class Header:
    """The header of a recording; `record_count` is -1 where the writer did not know it."""

    patient: str
    recording: str
    start_date: str
    start_time: str
    reserved: str
    record_count: int
    record_seconds: float
    signals: list[Signal]

    @property
    def header_bytes(self) -> int:
        return 256 * (1 + len(self.signals))

    @property
    def record_bytes(self) -> int:
        return SAMPLE.itemsize * sum(signal.samples_per_record for signal in self.signals)


# Name and width of each signal field, in the order of the file: each field is stored for all signals in turn.
SIGNAL_FIELDS = (
    ("label", 16),
    ("transducer", 80),
    ("dimension", 8),
    ("physical_min", 8),
    ("physical_max", 8),
    ("digital_min", 8),
    ("digital_max", 8),
    ("prefilter", 80),
    ("samples_per_record", 8),
    ("reserved", 32),
)


class Reader:
    """An open recording whose header is parsed and whose length agrees with it."""

    def __init__(self, path: str):
        try:
            # Unbuffered: whole chunks are read straight into the array that holds them.
            self._file = open(path, "rb", buffering=0)
            size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise FileFailure(f"cannot read {path}: {error.strerror}") from error
        self.header = self._read_header(path)
        self.header.record_count = self._count_records(size)
        self._remaining = self.header.record_count

    def close(self) -> None:
        self._file.close()

    def chunks(self):
        """Yields int16 arrays of shape (records, samples in a record); each is overwritten by the next one."""
        record_bytes = self.header.record_bytes
        rows = max(1, CHUNK_BYTES // record_bytes)
        buffer = np.empty((rows, record_bytes // SAMPLE.itemsize), SAMPLE)
        while self._remaining > 0:
            chunk = buffer[: min(rows, self._remaining)]
            self._fill(memoryview(chunk).cast("B"))
            self._remaining -= len(chunk)
            yield chunk

    def _fill(self, view: memoryview) -> None:
        done = 0
        while done < len(view):
            try:
                count = self._file.readinto(view[done:])
            except OSError as error:
                raise FileFailure(f"cannot read the data records: {error.strerror}") from error
            if not count:
                raise MalformedEdf("the file became shorter while it was read")
            done += count

    def _read_exactly(self, count: int, what: str) -> bytes:
        data = b""
        while len(data) < count:
            part = self._file.read(count - len(data))
            if not part:
                raise MalformedEdf(f"the file ends inside {what}")
            data += part
        return data

    def _read_header(self, path: str) -> Header:
        try:
            fixed = self._read_exactly(256, "the header")
            if fixed[0] == 0xFF:
                raise MalformedEdf("this is BDF (24 bits a sample), not EDF")
            if fixed[:8].strip() != b"0":
                raise MalformedEdf("the file does not start with version 0")
            signal_count = whole(fixed[252:256], "number of signals")
            if signal_count < 1:
                raise MalformedEdf(f"number of signals is {signal_count}")
            stated = whole(fixed[184:192], "number of header bytes")
            if stated != 256 * (1 + signal_count):
                raise MalformedEdf(f"number of header bytes is {stated}, but {signal_count} signals need {256 * (1 + signal_count)}")
            table = self._read_exactly(256 * signal_count, "the signals' headers")
        except OSError as error:
            raise FileFailure(f"cannot read {path}: {error.strerror}") from error
        header = Header(
            patient=text(fixed[8:88]),
            recording=text(fixed[88:168]),
            start_date=text(fixed[168:176]),
            start_time=text(fixed[176:184]),
            reserved=text(fixed[192:236]),
            record_count=whole(fixed[236:244], "number of data records"),
            record_seconds=number(fixed[244:252], "duration of a data record"),
            signals=parse_signals(table, signal_count),
        )
        check(header)
        return header

    def _count_records(self, size: int) -> int:
        """The number of records by the file's size; the header may say -1 and must agree otherwise."""
        data_bytes = size - self.header.header_bytes
        stated = self.header.record_count
        records, rest = divmod(data_bytes, self.header.record_bytes)
        if stated == -1:
            if rest:
                raise MalformedEdf(f"the data end with {rest} bytes of an unfinished record")
            return records
        if rest or records != stated:
            raise MalformedEdf(f"the header says {stated} data records, but the file holds {data_bytes / self.header.record_bytes:g}")
        return stated


def parse_signals(table: bytes, count: int) -> list[Signal]:
    """Parses the signals' part of the header."""
    columns: dict[str, list[bytes]] = {}
    offset = 0
    for name, width in SIGNAL_FIELDS:
        columns[name] = [table[offset + i * width : offset + (i + 1) * width] for i in range(count)]
        offset += width * count
    signals = []
    for i in range(count):
        of = f"of signal {i + 1}"
        signals.append(
            Signal(
                label=text(columns["label"][i]),
                transducer=text(columns["transducer"][i]),
                dimension=text(columns["dimension"][i]),
                physical_min=number(columns["physical_min"][i], f"physical minimum {of}"),
                physical_max=number(columns["physical_max"][i], f"physical maximum {of}"),
                digital_min=whole(columns["digital_min"][i], f"digital minimum {of}"),
                digital_max=whole(columns["digital_max"][i], f"digital maximum {of}"),
                prefilter=text(columns["prefilter"][i]),
                samples_per_record=whole(columns["samples_per_record"][i], f"samples per record {of}"),
                reserved=text(columns["reserved"][i]),
            )
        )
    return signals


def check(header: Header) -> None:
    """Refuses headers whose fields parse but cannot be true."""
    if header.record_count < -1:
        raise MalformedEdf(f"number of data records is {header.record_count}")
    ordinary = [signal for signal in header.signals if not signal.is_annotation]
    if header.record_seconds < 0 or (header.record_seconds == 0 and ordinary):
        raise MalformedEdf(f"duration of a data record is {header.record_seconds:g} s")
    for i, signal in enumerate(header.signals):
        if signal.samples_per_record < 1:
            raise MalformedEdf(f"samples per record of signal {i + 1} is {signal.samples_per_record}")
        if not -32768 <= signal.digital_min <= signal.digital_max <= 32767:
            raise MalformedEdf(
                f"digital range of signal {i + 1} is {signal.digital_min} to {signal.digital_max}, outside int16 or reversed"
            )
    if header.record_bytes > MAX_RECORD_BYTES:
        raise MalformedEdf(f"a data record has {header.record_bytes} bytes; at most {MAX_RECORD_BYTES} are supported")


def text(field: bytes) -> str:
    """Decodes a field: ASCII by the standard, in practice also UTF-8 or Latin-1."""
    field = field.replace(b"\0", b" ")
    try:
        return field.decode("utf-8").strip()
    except UnicodeDecodeError:
        return field.decode("latin-1").strip()


def whole(field: bytes, what: str) -> int:
    value = text(field)
    if not re.fullmatch(r"[+-]?[0-9]+", value):
        raise MalformedEdf(f"{what} is {printable(value)}, not a whole number")
    return int(value)


def number(field: bytes, what: str) -> float:
    value = text(field)
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", value):
        raise MalformedEdf(f"{what} is {printable(value)}, not a number")
    result = float(value)
    if not math.isfinite(result):
        raise MalformedEdf(f"{what} is {printable(value)}, which is too large")
    return result


def printable(value: str) -> str:
    return ascii(value)


def format_number(value: float) -> str:
    """The most precise decimal notation of `value` in 8 characters; exponents are not EDF."""
    for digits in range(7, -1, -1):
        notation = f"{value:.{digits}f}"
        if "." in notation:
            notation = notation.rstrip("0").rstrip(".")
        if notation == "-0":
            notation = "0"
        if len(notation) <= 8:
            return notation
    raise MalformedEdf(f"{value:g} does not fit the 8 characters of a header field")


def encode_header(header: Header) -> bytes:
    """The header as bytes; every text must already be ASCII. Longer texts are cut."""

    def field(value: str, width: int) -> bytes:
        return value.encode("ascii")[:width].ljust(width)

    parts = [
        field("0", 8),
        field(header.patient, 80),
        field(header.recording, 80),
        field(header.start_date, 8),
        field(header.start_time, 8),
        field(str(header.header_bytes), 8),
        field(header.reserved, 44),
        field(str(header.record_count), 8),
        field(format_number(header.record_seconds), 8),
        field(str(len(header.signals)), 4),
    ]
    for name, width in SIGNAL_FIELDS:
        for signal in header.signals:
            value = getattr(signal, name)
            parts.append(field(format_number(value) if isinstance(value, float) else str(value), width))
    return b"".join(parts)
