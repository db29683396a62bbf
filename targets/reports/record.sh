#!/usr/bin/env bash
# Prints the report of one region, six lines: record.sh NUMBER REGION
set -euo pipefail
number=$1 region=$2

printf -- '--- report %s\n' "$number"
printf 'region: %s\n' "$region"
printf 'made: %s\n' "$(date +%Y-%m-%dT%H:%M:%S)"
awk -F, -v region="$region" '
    $2 == region { orders++; total += $3 }
    END { printf "orders: %d\ntotal: %.2f\n", orders, total }
' orders.csv
printf -- '--- end %s\n' "$number"
