"""The corpus' inputs that no tool of the images is needed for: `python3 generate.py <directory>`. Equal bytes every time.

Sizes `a` to `d` are what a program is learned from, `big` is what makes it thread, spill and grow; `bad` is malformed.
"""

import gzip
import os
import random
import struct
import sys
import zlib

CONTIG_LENGTH = 40_000
READS = {"a": 800, "b": 1500, "c": 2500, "d": 1200, "big": 40_000}
PROTEINS = {"a": (8, 120), "b": (14, 200), "c": (20, 150), "d": (10, 300), "big": (90, 300)}
INTERVALS = {"a": 200, "b": 400, "c": 300, "d": 500, "big": 60_000}
VARIANTS = {"a": (300, 2), "b": (600, 3), "c": (900, 2), "d": (400, 5), "big": (30_000, 8)}
ROWS = {"a": 300, "b": 800, "c": 500, "d": 1000, "big": 60_000}
PICTURES = {"a": (160, 120), "b": (240, 200), "c": (200, 200), "d": (300, 180), "big": (900, 700)}
AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"


def write(name: str, content: str | bytes, zipped: bool = False) -> None:
    data = content.encode() if isinstance(content, str) else content
    with open(name, "wb") as file:
        file.write(data)
    if zipped:
        with open(f"{name}.gz", "wb") as file:
            file.write(gzip.compress(data, 6, mtime=0))


def dna(chance: random.Random, length: int) -> str:
    return "".join(chance.choices("ACGT", k=length))


def mutated(chance: random.Random, sequence: str, rate: float) -> str:
    return "".join(chance.choice("ACGT") if chance.random() < rate else base for base in sequence)


def reverse_complement(sequence: str) -> str:
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


def fasta(sequences: dict[str, str], width: int = 60) -> str:
    parts = []
    for name, sequence in sequences.items():
        rows = [sequence[at : at + width] for at in range(0, len(sequence), width)]
        parts.append(f">{name}\n" + "\n".join(rows) + "\n")
    return "".join(parts)


def write_reference(chance: random.Random) -> dict[str, str]:
    contigs = {f"chr{number}": dna(chance, CONTIG_LENGTH) for number in (1, 2, 3)}
    write("ref.fa", fasta(contigs), zipped=True)
    write("ref_big.fa", fasta({f"big{number}": dna(chance, 400_000) for number in range(3)}))
    # The format of `samtools faidx`: name, length, offset, bases a line, bytes a line.
    index, offset = [], 0
    for name, sequence in contigs.items():
        offset += len(name) + 2
        index.append(f"{name}\t{len(sequence)}\t{offset}\t60\t61\n")
        offset += len(sequence) + (len(sequence) + 59) // 60
    write("ref.fa.fai", "".join(index))
    write("genome.txt", "".join(f"{name}\t{CONTIG_LENGTH}\n" for name in contigs))
    return contigs


def write_reads(chance: random.Random, contigs: dict[str, str], length: int = 100, rate: float = 0.01) -> None:
    """Pairs from both ends of fragments of 300 bases."""
    for size, count in READS.items():
        first, second = [], []
        for number in range(count):
            at = chance.randrange(0, CONTIG_LENGTH - 350)
            fragment = contigs[chance.choice(list(contigs))][at : at + 300]
            quality = "".join(chr(33 + chance.randint(20, 40)) for _ in range(length))
            first.append(f"@r{number}/1\n{mutated(chance, fragment[:length], rate)}\n+\n{quality}\n")
            reverse = mutated(chance, reverse_complement(fragment)[:length], rate)
            second.append(f"@r{number}/2\n{reverse}\n+\n{quality}\n")
        write(f"{size}_1.fq", "".join(first), zipped=True)
        write(f"{size}_2.fq", "".join(second), zipped=True)
    long = []
    for number in range(60):
        at = chance.randrange(0, 30_000)
        sequence = mutated(chance, contigs[chance.choice(list(contigs))][at : at + 6000], 0.06)
        long.append(f"@l{number}\n{sequence}\n+\n{'5' * len(sequence)}\n")
    write("long.fq", "".join(long), zipped=True)
    write("empty.fq", "")
    write("bad.fq", "@r1\nACGTACGT\n+\nIII\n@r2\nAC\n")
    write("bad.gz", gzip.compress(b"@r\nACGT\n+\nIIII\n" * 900, mtime=0)[:-40])
    write("bad.bam", b"\x1f\x8b\x08\x04" + bytes(chance.randrange(256) for _ in range(2000)))


def write_proteins(chance: random.Random, contigs: dict[str, str], rate: float = 0.15) -> None:
    for size, (count, length) in PROTEINS.items():
        root = chance.choices(AMINO_ACIDS, k=length)
        family = {}
        for number in range(count):
            residues = []
            for residue in root:
                drawn = chance.random()
                if drawn < 0.02:
                    continue
                residues.append(chance.choice(AMINO_ACIDS) if drawn < rate else residue)
                if chance.random() < 0.01:
                    residues.append(chance.choice(AMINO_ACIDS))
            family[f"p{number}"] = "".join(residues)
        write(f"prot_{size}.fa", fasta(family))
    write("aln_c.fa", fasta({f"s{number}": mutated(chance, contigs["chr1"][100:500], 0.1) for number in range(20)}))


def write_intervals(chance: random.Random) -> None:
    for size, count in INTERVALS.items():
        rows = sorted((f"chr{chance.randint(1, 3)}", chance.randrange(39_000), chance.randint(10, 900)) for _ in range(count))
        lines = [
            f"{contig}\t{start}\t{start + length}\tf{number}\t{number % 99}\t{'+-'[number % 2]}\n"
            for number, (contig, start, length) in enumerate(rows)
        ]
        write(f"{size}.bed", "".join(lines), zipped=True)
    write("bad.bed", "chr1\tx\ty\n")


def write_variants(chance: random.Random, contigs: dict[str, str]) -> None:
    for size, (count, samples) in VARIANTS.items():
        lines = ["##fileformat=VCFv4.2"]
        lines += [f"##contig=<ID={name},length={CONTIG_LENGTH}>" for name in contigs]
        lines += ['##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">']
        lines += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">']
        names = "\t".join(f"s{number}" for number in range(samples))
        lines += [f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}"]
        for name, sequence in contigs.items():
            for position in sorted(chance.sample(range(1, CONTIG_LENGTH), count // 3)):
                reference = sequence[position - 1]
                other = chance.choice([base for base in "ACGT" if base != reference])
                genotypes = "\t".join(chance.choice(["0/0", "0/1", "1/1"]) for _ in range(samples))
                fields = f"{reference}\t{other}\t{chance.randint(1, 99)}\tPASS\tDP={chance.randint(1, 99)}\tGT"
                lines.append(f"{name}\t{position}\t.\t{fields}\t{genotypes}")
        text = "\n".join(lines) + "\n"
        write(f"{size}.vcf", text)
        write(f"{size}.plain.vcf.gz", gzip.compress(text.encode(), 6, mtime=0))
    write("bad.vcf", "##fileformat=VCFv4.2\n#CHROM\tPOS\nchr1\tzz\n")


def write_tables(chance: random.Random, columns: int = 6) -> None:
    for size, count in ROWS.items():
        lines = ["group," + ",".join(f"v{column}" for column in range(columns))]
        for _ in range(count):
            values = ",".join(f"{chance.gauss(column, 1 + column):.4f}" for column in range(columns))
            lines.append(f"{chance.choice('abc')},{values}")
        write(f"{size}.csv", "\n".join(lines) + "\n", zipped=True)
    write("bad.csv", 'group,v0\na,"1\nb,2,3,4\n')


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_pictures(chance: random.Random) -> None:
    """A section with dark spots, as PNG."""
    for size, (width, height) in PICTURES.items():
        spots = [(chance.randrange(width), chance.randrange(height), chance.randint(5, 40)) for _ in range(12)]
        rows = bytearray()
        for y in range(height):
            rows.append(0)
            for x in range(width):
                dark = any((x - left) ** 2 + (y - top) ** 2 < radius**2 for left, top, radius in spots)
                rows += bytes((90, 30, (x * 7 + y * 3) % 256) if dark else (230, 170, (x * 7 + y * 3) % 256))
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows), 6)) + chunk(b"IEND", b"")
        write(f"{size}.png", b"\x89PNG\r\n\x1a\n" + body)
    write("bad.png", b"\x89PNG\r\n\x1a\n" + bytes(40))


def main() -> None:
    os.makedirs(sys.argv[1], exist_ok=True)
    os.chdir(sys.argv[1])
    contigs = write_reference(random.Random("reference"))
    write_reads(random.Random("reads"), contigs)
    write_proteins(random.Random("proteins"), contigs)
    write_intervals(random.Random("intervals"))
    write_variants(random.Random("variants"), contigs)
    write_tables(random.Random("tables"))
    write_pictures(random.Random("pictures"))


if __name__ == "__main__":
    main()
