import datetime
import unittest

from edf_normalize.identity import header_date, header_time, parse_date, patient_field, recording_field, start_date
from edf_normalize.transliterate import to_ascii


class Identity(unittest.TestCase):
    def test_dates_are_read_in_all_common_forms(self):
        day = datetime.date(1989, 4, 24)
        for value in ("24.04.89", "24/4/1989", "24-04-89", "1989-04-24", "24-APR-1989", "24-apr-1989"):
            with self.subTest(value):
                self.assertEqual(parse_date(value), day)

    def test_two_digit_years_start_in_1985(self):
        self.assertEqual(parse_date("01.01.84").year, 2084)
        self.assertEqual(parse_date("01.01.85").year, 1985)

    def test_impossible_dates_are_none(self):
        for value in ("31.02.2001", "00.00.00", "X", "", "12-FOO-2001"):
            with self.subTest(value):
                self.assertIsNone(parse_date(value))

    def test_a_valid_patient_field_is_kept(self):
        self.assertEqual(patient_field("X F X Female_33yr"), "X F X Female_33yr")

    def test_a_free_patient_field_is_sorted_into_id_sex_birthdate_and_name(self):
        self.assertEqual(patient_field("Jürgen Müller, männlich, 3.11.1955, ID77"), "ID77 M 03-NOV-1955 Juergen_Mueller")
        self.assertEqual(patient_field("77 female 1972-05-30"), "77 F 30-MAY-1972 X")

    def test_an_empty_patient_field_is_all_unknown(self):
        self.assertEqual(patient_field(""), "X X X X")

    def test_a_recording_field_gets_its_startdate(self):
        day = datetime.date(2016, 5, 2)
        self.assertEqual(recording_field("Labor Süd", day), "Startdate 02-MAY-2016 X X Labor_Sued")
        self.assertEqual(recording_field("Startdate 2-MAY-2016 PSG", day), "Startdate 02-MAY-2016 PSG X X")
        self.assertEqual(recording_field("", None), "Startdate X X X X")

    def test_the_recording_field_knows_the_century(self):
        self.assertEqual(start_date("02.05.16", "Startdate 02-MAY-1916 X X X").year, 1916)
        self.assertEqual(start_date("02.05.16", "").year, 2016)

    def test_header_dates_and_times_are_repaired(self):
        self.assertEqual(header_date(datetime.date(2016, 5, 2)), "02.05.16")
        self.assertEqual(header_date(datetime.date(1916, 5, 2)), "02.05.yy")
        self.assertEqual(header_date(None), "01.01.85")
        self.assertEqual(header_time("9:5:7"), "09.05.07")
        self.assertEqual(header_time("25.00.00"), "00.00.00")

    def test_umlauts_are_spelled_out(self):
        self.assertEqual(to_ascii("Größe über ÄÖÜ"), "Groesse ueber AeOeUe")
        self.assertEqual(to_ascii("Gro\u0308ße"), "Groesse")
        self.assertEqual(to_ascii("é µV ✓"), "e uV ?")


if __name__ == "__main__":
    unittest.main()
