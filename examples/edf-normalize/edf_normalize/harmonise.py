"""What the normalised header is, and how one chunk of samples is scaled to it."""

from dataclasses import dataclass, replace

import numpy as np

from .edf import ANNOTATIONS, SAMPLE, Header, Signal, format_number
from .identity import header_date, header_time, patient_field, recording_field, start_date
from .labels import STANDARD, harmonise_labels
from .transliterate import to_ascii

DIGITAL_MIN, DIGITAL_MAX = -32768, 32767
# Samples of the time-keeping signal: "+", up to 20 characters of seconds and the separators fit 32 bytes.
TIMEKEEPING_SAMPLES = 16
_TO_MICROVOLT = {"V": 1e6, "mV": 1e3, "uV": 1.0, "nV": 1e-3}
_BIOPOTENTIAL = tuple(name for name in STANDARD if name.startswith(("EEG", "EOG", "EMG", "ECG")))


@dataclass
class Channel:
    """Where a signal lies in a record before and after, and the factor between its physical units."""

    before: Signal
    after: Signal
    offset_before: int
    offset_after: int
    unit_factor: float


@dataclass
class Plan:
    """The new header, and what to do with each channel."""

    header: Header
    channels: list[Channel]
    # Offset of the time-keeping signal that is added where the input has no annotations.
    timekeeping_offset: int | None


def make_plan(header: Header) -> Plan:
    """Decides the normalised header."""
    ordinary = [signal.label for signal in header.signals if not signal.is_annotation]
    labels = iter(harmonise_labels(ordinary))
    channels: list[Channel] = []
    before = after = 0
    for signal in header.signals:
        new, factor = (signal, 1.0) if signal.is_annotation else _harmonise_signal(signal, next(labels))
        channels.append(Channel(signal, new, before, after, factor))
        before += signal.samples_per_record
        after += new.samples_per_record
    signals = [channel.after for channel in channels]
    timekeeping = None
    reserved = header.reserved if header.reserved.startswith(("EDF+C", "EDF+D")) else "EDF+C"
    if not any(signal.is_annotation for signal in signals):
        # Every EDF+ file has a signal that says when each record begins.
        timekeeping, reserved = after, "EDF+C"
        signals.append(Signal(ANNOTATIONS, "", "", -1.0, 1.0, DIGITAL_MIN, DIGITAL_MAX, "", TIMEKEEPING_SAMPLES))
    date = start_date(header.start_date, header.recording)
    new_header = Header(
        patient=patient_field(header.patient),
        recording=recording_field(header.recording, date),
        start_date=header_date(date),
        start_time=header_time(header.start_time),
        reserved=reserved[:5],
        record_count=header.record_count,
        record_seconds=header.record_seconds,
        signals=signals,
    )
    return Plan(new_header, channels, timekeeping)


def _harmonise_signal(signal: Signal, label: str) -> tuple[Signal, float]:
    """The signal's new header and the factor from its old physical unit to the new one."""
    digital_min, digital_max = signal.digital_min, signal.digital_max
    if digital_min == digital_max:
        digital_min, digital_max = DIGITAL_MIN, DIGITAL_MAX
    physical_min, physical_max = signal.physical_min, signal.physical_max
    if physical_min == physical_max:
        # Uncalibrated: the sample values are all that is known.
        physical_min, physical_max = float(digital_min), float(digital_max)
    dimension = to_ascii(signal.dimension)
    factor = 1.0
    if label in _BIOPOTENTIAL and dimension in _TO_MICROVOLT:
        factor, dimension = _TO_MICROVOLT[dimension], "uV"
    # The range is what the header's 8 characters can say, and samples are scaled to exactly that.
    new_min, new_max = (float(format_number(limit * factor)) for limit in (physical_min, physical_max))
    if new_min == new_max:
        new_min, new_max, factor = physical_min, physical_max, 1.0
        dimension = to_ascii(signal.dimension)
    signal.physical_min, signal.physical_max = physical_min, physical_max
    signal.digital_min, signal.digital_max = digital_min, digital_max
    new = replace(
        signal,
        label=label,
        transducer=to_ascii(signal.transducer),
        dimension=dimension,
        physical_min=new_min,
        physical_max=new_max,
        digital_min=DIGITAL_MIN,
        digital_max=DIGITAL_MAX,
        prefilter=to_ascii(signal.prefilter),
        reserved=to_ascii(signal.reserved),
    )
    return new, factor


def to_physical(digital: np.ndarray, signal: Signal) -> np.ndarray:
    """float64 values in the signal's physical unit."""
    physical = digital.astype(np.float64)
    physical -= signal.digital_min
    physical *= (signal.physical_max - signal.physical_min) / (signal.digital_max - signal.digital_min)
    physical += signal.physical_min
    return physical


def to_digital(physical: np.ndarray, signal: Signal) -> np.ndarray:
    """int16 samples; what lies outside the physical range saturates, and what is not a number becomes the minimum."""
    scaled = physical - signal.physical_min
    scaled *= (signal.digital_max - signal.digital_min) / (signal.physical_max - signal.physical_min)
    scaled += signal.digital_min
    np.rint(scaled, out=scaled)
    np.nan_to_num(scaled, copy=False, nan=DIGITAL_MIN, posinf=DIGITAL_MAX, neginf=DIGITAL_MIN)
    np.clip(scaled, DIGITAL_MIN, DIGITAL_MAX, out=scaled)
    return scaled.astype(SAMPLE)


def harmonise_chunk(plan: Plan, chunk: np.ndarray, first_record: int, transform=None) -> np.ndarray:
    """The normalised form of a chunk. `transform(labels, signals, first_record)` may change the physical values,
    given as {label: float64 array of shape (records, samples)}."""
    records = len(chunk)
    result = np.empty((records, plan.header.record_bytes // SAMPLE.itemsize), SAMPLE)
    ordinary = [channel for channel in plan.channels if not channel.before.is_annotation]
    if transform is None:
        for channel in ordinary:
            _place(result, channel, _physical(chunk, channel))
    else:
        values = [_physical(chunk, channel) for channel in ordinary]
        transform([channel.after.label for channel in ordinary], values, first_record)
        for channel, value in zip(ordinary, values):
            _place(result, channel, value)
    for channel in plan.channels:
        if channel.before.is_annotation:
            count = channel.before.samples_per_record
            result[:, channel.offset_after : channel.offset_after + count] = chunk[:, channel.offset_before : channel.offset_before + count]
    if plan.timekeeping_offset is not None:
        result[:, plan.timekeeping_offset :] = _timekeeping(first_record, records, plan.header.record_seconds)
    return result


def _physical(chunk: np.ndarray, channel: Channel) -> np.ndarray:
    count = channel.before.samples_per_record
    values = to_physical(chunk[:, channel.offset_before : channel.offset_before + count], channel.before)
    values *= channel.unit_factor
    return values


def _place(result: np.ndarray, channel: Channel, physical: np.ndarray) -> None:
    count = channel.after.samples_per_record
    result[:, channel.offset_after : channel.offset_after + count] = to_digital(physical, channel.after)


def _timekeeping(first_record: int, records: int, seconds: float) -> np.ndarray:
    """Time-stamped annotation lists that hold nothing but each record's onset (EDF+ 2.2.4)."""
    size = TIMEKEEPING_SAMPLES * SAMPLE.itemsize
    lists = (f"+{onset_text((first_record + i) * seconds)}\x14\x14".encode("ascii").ljust(size, b"\0") for i in range(records))
    return np.frombuffer(b"".join(lists), SAMPLE).reshape(records, TIMEKEEPING_SAMPLES)


def onset_text(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
