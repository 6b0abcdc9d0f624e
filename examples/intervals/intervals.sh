#!/bin/sh
# How far the disease progressed, by sex, as a 95 % interval of the mean; beside it the norm that the registry has.
# Usage: intervals.sh FILE.csv OUT.csv        NORMS: address of the registry's service; without it the norm of 2003 is taken
set -eu

feed=${1:?usage: intervals.sh FILE.csv OUT.csv}
out=${2:?usage: intervals.sh FILE.csv OUT.csv}

if [ -n "$(find "$feed" -mtime +365)" ]; then
  echo "$feed is older than a year" >&2
  exit 75
fi

norm=152.1
if [ -n "${NORMS:-}" ]; then
  norm=$(curl --silent --fail --max-time 5 "$NORMS") || { echo "no norm from $NORMS: curl ended with $?" >&2; exit 69; }
  case $norm in '' | *[!0-9.]*) echo "the norm is no number: $NORMS" >&2; exit 65 ;; esac
fi

if command -v Rscript > /dev/null; then
  Rscript --vanilla intervals.R "$feed" "$norm" > "$out.new"
else
  sh ./intervals_awk.sh "$feed" "$norm" > "$out.new"
fi
mv "$out.new" "$out"
cat "$out"
