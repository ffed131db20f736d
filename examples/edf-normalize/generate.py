"""Makes realistic polysomnography recordings: `python3 generate.py --seed 1 --channels 12 --minutes 60 --output night.edf`.

Signals, labels, header style and scaling follow from the seed. Memory stays bounded: one epoch of 30 s at a time.
Prints one JSON line of facts.
"""

import argparse
import json

import numpy as np

EPOCH_SECONDS = 30
# Sleep stage: amplitude in microvolts of delta (1 Hz), theta (6 Hz), alpha (10 Hz), sigma (13 Hz) and of muscle tone.
STAGES = {
    "wake": (8, 6, 28, 3, 30),
    "n1": (12, 18, 10, 4, 18),
    "n2": (28, 16, 4, 14, 10),
    "n3": (75, 14, 3, 6, 7),
    "rem": (10, 18, 7, 2, 3),
}
BANDS_HZ = ((0.5, 2.0), (4.0, 7.5), (8.5, 11.5), (12.0, 14.5))

# Kind, samples per second, physical range, dimension, label variants.
CHANNELS = (
    ("eeg", 256, 500, "uV", ("EEG C3-A2", "c3:m2", "C3-M2", "EEG C3/A2")),
    ("eeg", 256, 500, "uV", ("EEG C4-A1", "c4:m1", "C4-A1", "EEG C4_M1")),
    ("eog", 128, 500, "uV", ("EOG left", "LOC-A2", "E1-M2", "EOG links")),
    ("eog", 128, 500, "uV", ("EOG right", "ROC-A1", "E2-M1", "EOG rechts")),
    ("emg", 256, 250, "uV", ("EMG chin", "Chin", "EMG submental", "Kinn")),
    ("ecg", 256, 5, "mV", ("ECG", "EKG", "ECG II", "ekg")),
    ("sao2", 1, 100, "%", ("SaO2", "SpO2", "O2-Sat", "Sättigung")),
    ("resp", 64, 1, "V", ("Resp nasal", "Flow", "Airflow", "Atemfluss")),
    ("resp", 64, 1, "V", ("Resp thorax", "Thorax", "Chest", "Brust")),
    ("resp", 64, 1, "V", ("Resp abdomen", "Abdomen", "ABDO", "Bauch")),
    ("eeg", 256, 500, "uV", ("EEG F3-A2", "f3:m2", "F3-M2", "EEG F3/A2")),
    ("eeg", 256, 500, "uV", ("EEG F4-A1", "f4:m1", "F4-A1", "EEG F4_M1")),
    ("eeg", 256, 500, "uV", ("EEG O1-A2", "o1:m2", "O1-M2", "EEG O1/A2")),
    ("eeg", 256, 500, "uV", ("EEG O2-A1", "o2:m1", "O2-A1", "EEG O2_M1")),
    ("leg", 128, 250, "uV", ("Leg L", "LAT", "PLM li", "Bein links")),
    ("leg", 128, 250, "uV", ("Leg R", "RAT", "PLM re", "Bein rechts")),
    ("snore", 128, 1, "V", ("Snore", "Mic", "Snoring", "Schnarchen")),
    ("position", 1, 4, "", ("Position", "Body", "Pos", "Körperlage")),
    ("pleth", 64, 1, "V", ("Pleth", "Pulse wave", "PPG", "Pleth")),
    ("temperature", 1, 45, "°C", ("Temp rectal", "Temp", "Temperature", "Temp rektal")),
)  # fmt: skip
PATIENTS = ("P{n:04} F 12-MAR-1961 Käthe_Groß", "Jürgen Müller, männlich, 3.11.1955, ID{n}", "X{n} M X X", "{n} female 1972-05-30", "")
RECORDINGS = ("Startdate 02-MAY-2016 PSG-{n} Söhne Recorder", "Schlaflabor Süd Gerät {n}", "", "Startdate X X X X")
DATES = ("02.05.16", "2.5.16", "02/05/16", "02-05-16")
TIMES = ("22.31.05", "22:31:05", "9.5.7")


class Night:
    """State that lasts over a night: sleep stage, apneas, oxygen, heart rate, body position."""

    def __init__(self, random: np.random.Generator):
        self.random = random
        self.heart_hz = random.uniform(0.9, 1.2)
        self.breath_hz = random.uniform(0.22, 0.3)
        self.oxygen = 96.0
        self.position = 1
        self.epoch = -1

    def next_epoch(self) -> None:
        self.epoch += 1
        # About 90 minutes a cycle: wake, light, deep, REM.
        phase = (self.epoch * EPOCH_SECONDS / 60 % 90) / 90
        stage = "n1" if phase < 0.08 else "n2" if phase < 0.4 else "n3" if phase < 0.65 else "n2" if phase < 0.8 else "rem"
        self.stage = "wake" if self.epoch < 4 or self.random.random() < 0.04 else stage
        self.apnea = self.stage != "wake" and self.random.random() < 0.12
        self.oxygen += (88.0 - self.oxygen) * 0.4 if self.apnea else (96.0 - self.oxygen) * 0.5
        if self.random.random() < 0.02:
            self.position = int(self.random.integers(0, 5))

    def signal(self, kind: str, rate: int) -> np.ndarray:
        """One epoch of a channel, in its usual unit."""
        count = rate * EPOCH_SECONDS
        t = self.epoch * EPOCH_SECONDS + np.arange(count) / rate
        noise = self.random.standard_normal(count)
        delta, theta, alpha, sigma, tone = STAGES[self.stage]
        if kind == "eeg":
            return 3 * noise + self._bands(t, (delta, theta, alpha, sigma))
        if kind == "eog":
            movements = 90 if self.stage in ("rem", "wake") else 12
            return 3 * noise + self._bands(t, (delta / 2, theta / 3, 0, 0)) + movements * np.tanh(3 * np.sin(2 * np.pi * 0.31 * t + self.random.uniform(0, 6.3)))
        if kind == "emg":
            return tone * noise
        if kind == "leg":
            return 4 * noise + 60 * noise * (np.sin(2 * np.pi * t / 25) > 0.97)
        if kind == "ecg":
            beat = (t * self.heart_hz) % 1
            return 0.02 * noise + 1.2 * _bump(beat, 0.3, 0.012) - 0.25 * _bump(beat, 0.33, 0.015) + 0.15 * _bump(beat, 0.18, 0.03) + 0.3 * _bump(beat, 0.6, 0.05)
        if kind == "resp":
            return 0.01 * noise + (0.05 if self.apnea else 0.5) * np.sin(2 * np.pi * self.breath_hz * t)
        if kind == "sao2":
            return self.oxygen + 0.3 * noise
        if kind == "snore":
            return 0.01 * noise + 0.2 * noise * (np.sin(2 * np.pi * self.breath_hz * t) > 0.6)
        if kind == "position":
            return np.full(count, float(self.position))
        if kind == "pleth":
            return 0.01 * noise + 0.4 * np.sin(2 * np.pi * self.heart_hz * t)
        return 36.8 + 0.02 * noise

    def _bands(self, t: np.ndarray, amplitudes) -> np.ndarray:
        total = np.zeros(len(t))
        for (low, high), amplitude in zip(BANDS_HZ, amplitudes):
            for _ in range(2):
                frequency, phase = self.random.uniform(low, high), self.random.uniform(0, 2 * np.pi)
                total += amplitude / 1.5 * np.sin(2 * np.pi * frequency * t + phase)
        return total


def _bump(x: np.ndarray, centre: float, width: float) -> np.ndarray:
    return np.exp(-0.5 * ((x - centre) / width) ** 2)


def physical_range(kind: str, limit: int) -> tuple[int, int]:
    return (0, limit) if kind in ("sao2", "position", "temperature") else (-limit, limit)


def field(value, width: int) -> bytes:
    return str(value).encode("latin-1")[:width].ljust(width)


def header(random: np.random.Generator, channels, labels, records: int, stated_records: int) -> bytes:
    pick = lambda choices: choices[int(random.integers(len(choices)))]
    number = int(random.integers(1, 9999))
    parts = [
        field(0, 8), field(pick(PATIENTS).format(n=number), 80), field(pick(RECORDINGS).format(n=number), 80),
        field(pick(DATES), 8), field(pick(TIMES), 8), field(256 * (1 + len(channels)), 8), field("", 44),
        field(stated_records, 8), field(1, 8), field(len(channels), 4),
    ]  # fmt: skip
    ranges = [physical_range(kind, limit) for kind, _, limit, _, _ in channels]
    parts += [field(label, 16) for label in labels]
    parts += [field("Ag-AgCl electrode" if unit in ("uV", "mV") else "", 80) for _, _, _, unit, _ in channels]
    parts += [field(unit if unit != "uV" else pick(("uV", "µV")), 8) for _, _, _, unit, _ in channels]
    parts += [field(low, 8) for low, _ in ranges] + [field(high, 8) for _, high in ranges]
    parts += [field(-2048, 8) for _ in channels] + [field(2047, 8) for _ in channels]
    parts += [field("HP:0.3Hz LP:35Hz" if kind in ("eeg", "eog") else "", 80) for kind, *_ in channels]
    parts += [field(rate, 8) for _, rate, *_ in channels] + [field("", 32) for _ in channels]
    return b"".join(parts)


def digitise(values: np.ndarray, kind: str, limit: int) -> np.ndarray:
    low, high = physical_range(kind, limit)
    return np.clip(np.rint((values - low) / (high - low) * 4095 - 2048), -2048, 2047).astype("<i2")


def generate(output: str, seed: int, channel_count: int, minutes: float, unknown_count: bool) -> dict:
    random = np.random.Generator(np.random.PCG64(seed))
    channels = CHANNELS[:channel_count]
    style = int(random.integers(4))
    labels = [variants[style if random.random() < 0.7 else int(random.integers(4))] for *_, variants in channels]
    records = max(1, round(minutes * 60))
    night = Night(random)
    with open(output, "wb") as file:
        file.write(header(random, channels, labels, records, -1 if unknown_count else records))
        for first in range(0, records, EPOCH_SECONDS):
            night.next_epoch()
            columns = [
                digitise(night.signal(kind, rate), kind, limit).reshape(EPOCH_SECONDS, rate)
                for kind, rate, limit, _, _ in channels
            ]
            file.write(np.hstack(columns)[: records - first].tobytes())
        size = file.tell()
    return {"output": output, "seed": seed, "channels": channel_count, "records": records, "labels": labels, "bytes": size}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--channels", type=int, default=12, choices=range(7, 21), metavar="7..20")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--unknown-record-count", action="store_true", help="write -1, as recorders do that were cut off")
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    print(json.dumps(generate(options.output, options.seed, options.channels, options.minutes, options.unknown_record_count)))


if __name__ == "__main__":
    main()
