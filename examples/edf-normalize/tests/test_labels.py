import unittest

from edf_normalize.labels import STANDARD, harmonise_labels, standard_label


class Labels(unittest.TestCase):
    def test_there_are_18_standard_channels(self):
        self.assertEqual(len(STANDARD), 18)
        self.assertEqual(len(set(STANDARD)), 18)

    def test_every_standard_name_maps_to_itself_and_fits_the_field(self):
        for name in STANDARD:
            self.assertEqual(standard_label(name), name)
            self.assertLessEqual(len(name), 16)

    def test_variants_map_to_their_standard_name(self):
        for variant, expected in (
            ("EEG C3-A2", "EEG C3-A2"),
            ("c3:m2", "EEG C3-A2"),
            ("  C3/A2 ", "EEG C3-A2"),
            ("EEG O2_M1", "EEG O2-A1"),
            ("E1-M2", "EOG LEFT"),
            ("EOG rechts", "EOG RIGHT"),
            ("Kinn", "EMG CHIN"),
            ("Bein links", "EMG LEFT LEG"),
            ("EKG", "ECG"),
            ("Resp oro-nasal", "RESP NASAL"),
            ("Sättigung", "SAO2"),
            ("O2-Sat", "SAO2"),
            ("Körperlage", "POSITION"),
            ("Schnarchen", "SNORE"),
        ):
            with self.subTest(variant):
                self.assertEqual(standard_label(variant), expected)

    def test_an_electrode_without_reference_has_no_standard_name(self):
        self.assertIsNone(standard_label("C3"))
        self.assertIsNone(standard_label("EEG Fpz-Cz"))

    def test_the_reference_decides(self):
        self.assertIsNone(standard_label("C3-A1"))

    def test_unknown_labels_keep_their_name_in_ascii(self):
        self.assertEqual(harmonise_labels(["Öl-Temp", "Event marker"]), ["Oel-Temp", "Event marker"])

    def test_the_first_of_two_claimants_gets_the_name(self):
        self.assertEqual(harmonise_labels(["SpO2", "SaO2"]), ["SAO2", "SaO2"])


if __name__ == "__main__":
    unittest.main()
