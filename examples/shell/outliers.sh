#!/bin/sh
# Lists patients whose HDL cholesterol lies more than three standard deviations from the mean: up to 2 in 100 is as it should be.
# Usage: outliers.sh FILE.csv
set -eu

feed=${1:?usage: outliers.sh FILE.csv}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "reading $feed"
cut -d, -f1,8 "$feed" | tail -n +2 | sort -t, -k2,2g > "$work/hdl"
echo "$(wc -l < "$work/hdl") patients"

awk -F, '{ n++; sum += $2; squares += $2 * $2 }
         END { if (!n) { print "no patients in the feed" > "/dev/stderr"; exit 65 }
               mean = sum / n; print mean, sqrt(squares / n - mean * mean) }' "$work/hdl" > "$work/moments"
read -r mean deviation < "$work/moments"
echo "HDL cholesterol: mean $mean mg/dl, standard deviation $deviation"

awk -F, -v mean="$mean" -v deviation="$deviation" '
  { off = ($2 - mean) / deviation }
  off > 3 || off < -3 { printf "%s  %s mg/dl  %+.1f sd\n", $1, $2, off; found++ }
  END { printf "%d of %d are outliers\n", found, NR; exit found > NR / 50 }' "$work/hdl"
