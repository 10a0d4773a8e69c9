# One line for each mutant that a model or program names: the mutant, and the test. `Fails under mutant a, b.` stands above the test.
FNR == 1 { room = FILENAME; sub(/.*\//, "", room); sub(/\.rs$/, "", room) }
/^\/\/\/ / { text = text substr($0, 4); next }
/^fn / && match(text, /Fails under mutant [^.]*/) {
    count = split(substr(text, RSTART + 19, RLENGTH - 19), mutants, ", ")
    sub(/\(.*/, "", $2)
    for (mutant = 1; mutant <= count; mutant++) print mutants[mutant], room "::" $2
}
!/^#/ { text = "" }
