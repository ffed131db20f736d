#!/bin/sh
# The inputs of edf-normalize, by the generator in its image.
set -eu
record() { python3 /opt/edf-normalize/generate.py --output "$1.edf" --seed "$2" --channels "$3" --minutes "$4" $5 > /dev/null; }
record nap 1 7 10 ''
record evening 2 12 20 ''
record night 3 16 40 ''
record study 4 9 15 ''
record short 5 7 0.5 ''
record unfinished 6 8 10 --unknown-record-count
record long 7 12 90 ''
record wide 8 20 20 ''
record other 9 10 30 ''
record cut 10 14 5 --unknown-record-count
head -c 300 nap.edf > bad.edf
echo 'this is no Python' > bad.py
