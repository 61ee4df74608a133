#!/usr/bin/env bash
# Whether `cordon compare` agrees with itself: two sets of runs, taken in turn, and for each ratio column of each row the
# median of either set.
#
#   agreement.sh CORDON RUNS [OPTION...]
#
# CORDON is the program, RUNS how many runs a set has, and the options are those of `cordon compare`. Prints a line a ratio:
# workload, mechanism, what it is relative to, both medians, by how much they differ, and by how much the worst single run
# differs from the median of its set. Exits with 1 if two medians differ by more than 5 %.
set -euo pipefail

cordon=$(realpath "$1") runs=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for ((run = 0; run < runs; run++)); do
  for set in A B; do "$cordon" compare "$@" --csv "$folder/$set.$run.csv" >/dev/null; done
done

# A line a figure: row, column, set, value. Quoted cells, which hold no figures, are taken away first.
for file in "$folder"/*.csv; do
  set=$(basename "$file")
  tr -d '\r' < "$file" | sed 's/"[^"]*"/-/g' | awk -F, -v set="${set%%.*}" '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    {
      row = $column["workload"] " " $column["mechanism"]
      if ($column["ratio_to_none"] != "") print row " none", set, $column["ratio_to_none"]
      if ($column["ratio_to_sud_selector"] != "") print row " sud-selector", set, $column["ratio_to_sud_selector"]
    }'
done | sort -k1,4 -k5,5g | awk '
  function abs(x) { return x < 0 ? -x : x }
  function middle(n) { return n % 2 ? value[(n + 1) / 2] : (value[n / 2] + value[n / 2 + 1]) / 2 }
  function close_set() {
    if (!count) return
    median[key, set] = middle(count)
    low = abs(value[1] / median[key, set] - 1); high = abs(value[count] / median[key, set] - 1)
    worst[key] = worst[key] > low ? worst[key] : low; worst[key] = worst[key] > high ? worst[key] : high
    count = 0
  }
  {
    this = $1 " " $2 " " $3
    if (this != key || $4 != set) { close_set(); key = this; set = $4; if (!(this in seen)) { seen[this]; order[++rows] = this } }
    value[++count] = $5
  }
  END {
    close_set()
    printf "%-14s %-15s %-13s %9s %9s %8s %8s\n", "WORKLOAD", "MECHANISM", "RELATIVE TO", "A", "B", "B TO A", "WORST"
    for (i = 1; i <= rows; i++) {
      split(order[i], name, " ")
      difference = median[order[i], "B"] / median[order[i], "A"] - 1
      if (abs(difference) > most) most = abs(difference)
      printf "%-14s %-15s %-13s %9.3f %9.3f %+7.1f%% %7.1f%%\n", name[1], name[2], name[3],
        median[order[i], "A"], median[order[i], "B"], difference * 100, worst[order[i]] * 100
    }
    printf "%d ratios; the medians of the two sets differ by %.1f %% at most\n", rows, most * 100
    exit most > 0.05
  }'
