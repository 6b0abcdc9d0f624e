#!/bin/sh
# As intervals.R, for machines without R: the same numbers, the same messages, the same exit status.
set -eu
stop() {
  echo "Error: $1" >&2
  echo "Execution halted" >&2
  exit 1
}

[ -r "$1" ] || { cat "$1" > /dev/null || stop "cannot open file '$1'"; }
awk -F, -v norm="$2" -v feed="$1" '
  function stop(why) { print "Error: " why > "/dev/stderr"; print "Execution halted" > "/dev/stderr"; failed = 1; exit 1 }
  NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; columns = NF; next }
  !("sex" in at) || !("progression" in at) { stop("no column sex or progression in " feed) }
  NF != columns { cut = 1; next }
  $at["progression"] !~ /^[0-9.]+$/ { words = 1; next }
  { n++; sex = $at["sex"]; value = $at["progression"]; count[sex]++; sum[sex] += value; squares[sex] += value * value }
  END {
    if (failed) exit 1
    if (words) stop("progression is no number in " feed)
    if (n < 100) stop("too few patients in " feed ": " n + 0)
    if (cut) stop("a line is cut off in " feed)
    print "sex,patients,low,high,norm"
    for (sex = 1; sex <= 2; sex++) {
      if (!(sex in count)) continue
      mean = sum[sex] / count[sex]
      off = 1.96 * sqrt((squares[sex] - count[sex] * mean * mean) / (count[sex] - 1) / count[sex])
      printf "%s,%d,%.1f,%.1f,%s\n", sex, count[sex], mean - off, mean + off, norm
    }
  }' "$1"
