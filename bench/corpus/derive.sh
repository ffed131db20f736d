#!/bin/sh
# The corpus' inputs that its own tools make (alignments, indexes): in the image `bio`, where generate.py has written.
set -eu
bwa index ref.fa 2>/dev/null
for size in a b c d big; do
  bwa mem ref.fa ${size}_1.fq ${size}_2.fq 2>/dev/null > $size.sam
  samtools view -b -o $size.bam $size.sam
  samtools sort -o $size.sorted.bam $size.bam
  samtools index $size.sorted.bam
done
rm big.sam
bgzip -c b.vcf > bgz.vcf.gz
bcftools index -f bgz.vcf.gz
