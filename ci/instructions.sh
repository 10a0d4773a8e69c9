#!/usr/bin/env bash
# Counts the instructions of the hot paths under valgrind and compares them with ci/instructions.csv.
#
#     ci/instructions.sh            fails where one takes more than 3 % and one instruction more than it did
#     ci/instructions.sh --accept   writes what it counts as what is to be from now on
#
# A count is that of one turn: the difference of two runs that differ by their turns alone. It repeats to a fraction of a per
# cent (labels are hashed with a seed of the process), but another compiler counts otherwise: the file says which one it is of.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v valgrind >/dev/null || { apt-get -qq update && apt-get -qq install -y valgrind; }

bench=$(cargo bench --no-run --bench instructions --message-format json-render-diagnostics |
    sed -n 's/.*"executable":"\([^"]*instructions[^"]*\)".*/\1/p')
test -x "$bench"

count() { valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" "$@" 2>&1 | sed -n 's/.*Collected : //p'; }

baseline=ci/instructions.csv
counted=$(mktemp)
trap 'rm -f "$counted"' EXIT
echo "scenario,instructions" >"$counted"
for scenario in $("$bench"); do
    case $scenario in
        create_*) few=1000 many=3000 ;;
        scrape_*) few=2 many=12 ;;
        *) few=1000 many=21000 ;;
    esac
    echo "$scenario $(count "$scenario" $few) $(count "$scenario" $many) $((many - few))" |
        awk '{ printf "%s,%.1f\n", $1, ($3 - $2) / $4 }' >>"$counted"
done
echo "compiler,$(rustc -V | cut -d' ' -f2)" >>"$counted"

if [ "${1:-}" = --accept ]; then
    cp "$counted" "$baseline"
    cat "$baseline"
    exit
fi
awk -F, '
    FNR == 1 { next }
    NR == FNR { was[$1] = $2; next }
    $1 == "compiler" { if (was[$1] != $2) printf "counted with %s, the file with %s\n", $2, was[$1]; next }
    {
        known = $1 in was
        more = known ? $2 - was[$1] : 0
        bad = !known || (more > 0.03 * was[$1] && more > 1)
        verdict = bad ? (known ? "MORE" : "not in the file; see --accept") : ""
        if (known && -more > 0.03 * was[$1] && -more > 1) verdict = "less: --accept it"
        printf "%-26s %12.1f  was %12.1f  %s\n", $1, $2, was[$1], verdict
        failed += bad
    }
    END { exit failed > 0 }
' "$baseline" "$counted"
