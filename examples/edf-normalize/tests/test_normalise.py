import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

from edf_normalize.edf import CHUNK_BYTES, Reader, format_number
from edf_normalize.harmonise import to_digital, to_physical

from .recordings import recording

FOLDER = Path(__file__).resolve().parent.parent
ANNOTATION = {
    "label": "EDF Annotations", "dimension": "", "physical_min": "-1", "physical_max": "1",
    "digital_min": "-32768", "digital_max": "32767",
}  # fmt: skip


class Program(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.input = Path(scratch.name, "in.edf")
        self.output = Path(scratch.name, "out.edf")
        self.plugin = Path(scratch.name, "plugin.py")

    def run_program(self, data: bytes, *extra: str) -> subprocess.CompletedProcess:
        self.input.write_bytes(data)
        command = [sys.executable, "-m", "edf_normalize", "--input", self.input, "--output", self.output, *extra]
        environment = {**os.environ, "PYTHONPATH": str(FOLDER), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    def normalise(self, data: bytes, *extra: str) -> Reader:
        result = self.run_program(data, *extra)
        self.assertEqual(result.returncode, 0, result.stderr)
        reader = Reader(str(self.output))
        self.addCleanup(reader.close)
        return reader

    def assert_refused(self, data: bytes, message: str) -> None:
        result = self.run_program(data)
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn(message, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertFalse(self.output.exists())


class RoundTrip(Program):
    def test_physical_values_are_kept_within_a_digital_step(self):
        data = recording([{"samples": 100}, {"label": "SpO2", "samples": 1, "physical_min": "0"}], records=3)
        self.input.write_bytes(data)
        source = Reader(str(self.input))
        self.addCleanup(source.close)
        before = [chunk.copy() for chunk in source.chunks()][0]
        reader = self.normalise(data)
        after = next(reader.chunks())
        for i, (first, last) in enumerate(((0, 100), (100, 101))):
            old = to_physical(before[:, first:last], source.header.signals[i])
            new = to_physical(after[:, first:last], reader.header.signals[i])
            self.assertLess(np.abs(old - new).max(), 200 / 65535)

    def test_normalising_twice_changes_nothing_more(self):
        self.normalise(recording(patient="Käthe, w, 1.2.1950", records=5))
        once = self.output.read_bytes()
        self.normalise(once)
        self.assertEqual(self.output.read_bytes(), once)

    def test_two_runs_give_the_same_bytes(self):
        data = recording([{"samples": 256}] * 7, records=300)
        digests = set()
        for _ in range(2):
            self.normalise(data)
            digests.add(hashlib.sha256(self.output.read_bytes()).hexdigest())
        self.assertEqual(len(digests), 1)

    def test_recordings_of_several_chunks_stay_in_order(self):
        records = CHUNK_BYTES // 2 // 1000 * 2 + 7
        signal = {"samples": 1000, "digital_min": "-32768", "digital_max": "32767", "physical_min": "-32768", "physical_max": "32767"}
        values = [i % 1000 for i in range(records * 1000)]
        reader = self.normalise(recording([signal], records, values))
        written = np.concatenate([chunk[:, :1000].copy() for chunk in reader.chunks()])
        self.assertEqual(written.shape, (records, 1000))
        self.assertTrue((written == np.arange(1000)).all())

    def test_every_record_says_when_it_begins(self):
        reader = self.normalise(recording(records=3, record_seconds=0.5))
        self.assertEqual(reader.header.reserved, "EDF+C")
        self.assertEqual(reader.header.signals[-1].label, "EDF Annotations")
        lists = [bytes(row[4:].tobytes()).rstrip(b"\0") for chunk in reader.chunks() for row in chunk]
        self.assertEqual(lists, [b"+0\x14\x14", b"+0.5\x14\x14", b"+1\x14\x14"])

    def test_annotations_of_the_input_are_kept_byte_for_byte(self):
        tal = struct.unpack("<4h", b"+0\x14\x14\0\0\0\0")
        reader = self.normalise(recording([{}, ANNOTATION], 1, [1, 2, 3, 4, *tal], reserved="EDF+D"))
        self.assertEqual(reader.header.reserved, "EDF+D")
        self.assertEqual(len(reader.header.signals), 2)
        self.assertEqual(next(reader.chunks())[0, 4:].tolist(), list(tal))

    def test_the_structure_of_a_sleep_edf_recording_is_normalised(self):
        labels = ("EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal", "Resp oro-nasal", "EMG submental", "Temp rectal", "Event marker")
        signals = [{"label": label, "samples": 300 if i < 3 else 3} for i, label in enumerate(labels)]
        header = {"patient": "X F X Female_33yr", "recording": "Startdate 24-APR-1989 X X X", "record_seconds": 30}
        reader = self.normalise(recording(signals, 10, **header))
        self.assertEqual(
            [signal.label for signal in reader.header.signals],
            ["EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal", "RESP NASAL", "EMG CHIN", "Temp rectal", "Event marker", "EDF Annotations"],
        )
        self.assertEqual(reader.header.patient, header["patient"])
        self.assertEqual(reader.header.recording, header["recording"])

    def test_the_facts_are_one_json_line(self):
        result = self.run_program(recording([{"label": "c3:m2"}, {"label": "Pulse"}]))
        self.assertEqual(json.loads(result.stdout), {"channels": 2, "renamed": 1, "records": 2, "seconds": 2.0})


class Scaling(Program):
    def test_samples_outside_the_digital_range_saturate(self):
        reader = self.normalise(recording([{"samples": 4}], 1, [-1000, 1000, -30000, 30000]))
        self.assertEqual(next(reader.chunks())[0, :4].tolist(), [-32768, 32767, -32768, 32767])

    def test_values_that_are_no_number_become_the_minimum(self):
        signal = self.normalise(recording()).header.signals[0]
        values = to_digital(np.array([np.nan, np.inf, -np.inf, 1e300]), signal)
        self.assertEqual(values.tolist(), [-32768, 32767, -32768, 32767])

    def test_millivolts_become_microvolts(self):
        signal = {"label": "EKG", "dimension": "mV", "physical_min": "-2.5", "physical_max": "2.5"}
        new = self.normalise(recording([signal])).header.signals[0]
        self.assertEqual((new.label, new.dimension, new.physical_min, new.physical_max), ("ECG", "uV", -2500, 2500))

    def test_equal_digital_limits_become_the_whole_range(self):
        signal = {"digital_min": "5", "digital_max": "5", "samples": 1}
        reader = self.normalise(recording([signal], 1, [1234]))
        self.assertEqual(next(reader.chunks())[0, 0], 1234)

    def test_equal_physical_limits_mean_uncalibrated(self):
        new = self.normalise(recording([{"physical_min": "0", "physical_max": "0"}])).header.signals[0]
        self.assertEqual((new.physical_min, new.physical_max), (-1000, 1000))

    def test_numbers_are_written_in_eight_characters(self):
        for value, expected in ((0.1, "0.1"), (-192.0, "-192"), (1 / 3, "0.333333"), (-1234567.8, "-1234568"), (-0.0000000001, "0")):
            with self.subTest(value):
                self.assertLessEqual(len(format_number(value)), 8)
        self.assertEqual(format_number(-192.0), "-192")
        self.assertEqual(format_number(-1234567.8), "-1234568")


class Records(Program):
    def test_a_count_of_minus_one_is_computed_from_the_size(self):
        self.assertEqual(self.normalise(recording(records=7, record_count=-1)).header.record_count, 7)

    def test_an_unfinished_record_after_minus_one_is_refused(self):
        self.assert_refused(recording(record_count=-1) + b"xy", "unfinished record")

    def test_a_wrong_count_is_refused(self):
        self.assert_refused(recording(records=2, record_count=3), "says 3 data records, but the file holds 2")
        self.assert_refused(recording(records=2, record_count=1), "says 1 data records, but the file holds 2")
        self.assert_refused(recording(records=2)[:-1], "but the file holds 1.875")

    def test_a_recording_without_records_is_normalised(self):
        self.assertEqual(self.normalise(recording(records=0)).header.record_count, 0)


class Malformed(Program):
    def test_files_that_end_in_the_header_are_refused(self):
        for length in (0, 1, 255):
            with self.subTest(length):
                self.assert_refused(recording()[:length], "the file ends inside the header")
        self.assert_refused(recording()[:300], "the file ends inside the signals' headers")

    def test_headers_that_cannot_be_true_are_refused(self):
        cases = (
            ({"signal_count": 0}, "number of signals is 0"),
            ({"signal_count": "-1"}, "number of signals is -1"),
            ({"signal_count": 2}, "number of header bytes is 512, but 2 signals need 768"),
            ({"signal_count": "ab"}, "number of signals is 'ab', not a whole number"),
            ({"header_bytes": 1024}, "number of header bytes is 1024"),
            ({"record_count": "two"}, "number of data records is 'two'"),
            ({"record_count": -5}, "number of data records is -5"),
            ({"record_count": ""}, "number of data records is ''"),
            ({"record_seconds": "nan"}, "duration of a data record is 'nan'"),
            ({"record_seconds": 0}, "duration of a data record is 0 s"),
            ({"record_seconds": "-1"}, "duration of a data record is -1 s"),
            ({"version": "1"}, "version 0"),
            ({"version": b"\xffBIOSEMI"}, "BDF"),
        )
        for header, message in cases:
            with self.subTest(message):
                self.assert_refused(recording(**header), message)
        for signal, message in (
            ({"digital_min": "x"}, "digital minimum of signal 1 is 'x'"),
            ({"physical_max": "1,5"}, "physical maximum of signal 1 is '1,5', not a number"),
            ({"physical_max": "inf"}, "physical maximum of signal 1 is 'inf'"),
            ({"digital_min": "10", "digital_max": "-10"}, "digital range of signal 1 is 10 to -10"),
            ({"digital_max": "99999"}, "digital range of signal 1"),
        ):
            with self.subTest(message):
                self.assert_refused(recording([signal]), message)
        self.assert_refused(recording([{"samples": "99999999"}], 0, []), "a data record has 199999998 bytes")
        self.assert_refused(recording([{"samples": 0}], 0), "samples per record of signal 1 is 0")

    def test_control_characters_in_a_field_do_not_reach_the_terminal(self):
        self.assert_refused(recording(record_count=b"1\x1b[2J\n"), r"'1\x1b[2J'")

    def test_random_bytes_never_cause_a_traceback(self):
        random = np.random.Generator(np.random.PCG64(1))
        valid = bytearray(recording(records=2))
        for i in range(20):
            data = bytearray(valid)
            for position in random.integers(0, 512, 8):
                data[position] = int(random.integers(0, 256))
            result = self.run_program(bytes(data))
            with self.subTest(i):
                self.assertIn(result.returncode, (0, 3), result.stderr)
                self.assertNotIn("Traceback", result.stderr)


class FilesAndPlugins(Program):
    def test_files_that_cannot_be_opened_have_a_code_of_their_own(self):
        result = self.run_program(recording(), "--input", "/does/not/exist")
        self.assertEqual((result.returncode, result.stderr), (4, "edf-normalize: file: cannot read /does/not/exist: No such file or directory\n"))
        result = self.run_program(recording(), "--output", "/does/not/exist")
        self.assertEqual(result.returncode, 4)

    def test_the_input_is_never_overwritten(self):
        data = recording()
        result = self.run_program(data, "--output", str(self.input))
        self.assertEqual(result.returncode, 4)
        self.assertEqual(self.input.read_bytes(), data)

    def test_wrong_usage_has_code_2(self):
        self.assertEqual(self.run_program(recording(), "--nonsense").returncode, 2)

    def test_a_plugin_may_change_the_signals(self):
        self.plugin.write_text("def transform(labels, signals, first_record):\n    signals[0] *= 0\n")
        reader = self.normalise(recording(), "--plugin", str(self.plugin))
        self.assertLessEqual(np.abs(next(reader.chunks())[:, :4]).max(), 1)

    def test_a_plugin_without_a_function_leaves_the_output_alone(self):
        self.normalise(recording())
        expected = self.output.read_bytes()
        self.plugin.write_text("print('hello')\n")
        self.normalise(recording(), "--plugin", str(self.plugin))
        self.assertEqual(self.output.read_bytes(), expected)

    def test_a_failing_plugin_has_a_code_of_its_own(self):
        for source in ("1 / 0", "raise SystemExit(0)", "def transform(*a):\n    raise ValueError('x\\ny')", "a b", "\0"):
            with self.subTest(source):
                self.plugin.write_text(source)
                result = self.run_program(recording(), "--plugin", str(self.plugin))
                self.assertEqual(result.returncode, 5, result.stderr)
                self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def test_the_benign_plugin_leaves_a_healthy_saturation_alone(self):
        data = recording([{"label": "SpO2", "physical_min": "0"}])
        self.normalise(data)
        expected = self.output.read_bytes()
        self.normalise(data, "--plugin", str(FOLDER / "plugins/clip_saturation.py"))
        self.assertEqual(self.output.read_bytes(), expected)


class Generator(Program):
    def test_its_recordings_are_accepted_whatever_the_seed(self):
        for seed in range(6):
            with self.subTest(seed):
                command = [sys.executable, FOLDER / "generate.py", "--seed", str(seed), "--channels", str(7 + 2 * seed), "--minutes", "0.6"]
                flags = ["--unknown-record-count"] if seed % 2 else []
                made = subprocess.run([*command, *flags, "--output", self.input], capture_output=True, text=True, check=True)
                facts = json.loads(made.stdout)
                self.assertEqual(facts["bytes"], self.input.stat().st_size)
                reader = self.normalise(self.input.read_bytes())
                self.assertEqual(reader.header.record_count, 36)
                self.assertTrue(self.output.read_bytes()[: reader.header.header_bytes].isascii())

    def test_equal_seeds_give_equal_bytes(self):
        contents = set()
        for _ in range(2):
            subprocess.run([sys.executable, FOLDER / "generate.py", "--minutes", "0.5", "--output", self.input], capture_output=True, check=True)
            contents.add(self.input.read_bytes())
        self.assertEqual(len(contents), 1)


if __name__ == "__main__":
    unittest.main()
