# tables.sh: what bench/client.c measured, as tables of docs/benchmarks.md.
# Sourced.

# cpu FILE CELL: the median; ratio FILE CELL CELL: median and interval
cpu() {
	awk -F '\t' -v cell="$2" '$1 == "cell" && $2 == cell {
		printf $4 < 100 ? "%.2f" : "%.0f", $4 }' "$1"
}

ratio() {
	awk -F '\t' -v a="$2" -v b="$3" '$1 == "ratio" && $2 == a && $3 == b {
		f = $4 < 0.1 ? "%.4f (%.4f to %.4f)" : "%.3f (%.3f to %.3f)"
		printf f, $4, $5, $6 }' "$1"
}

shape_table() {
	local protocol shape cell

	say "### An answer from the cache"
	say
	say "Server CPU in microseconds per statement (medians); ratios with 95 %"
	say "intervals, smaller is better. The cache serves every statement here"
	say "(\`perfopt.cache = force\`), also those that \`auto\` would leave alone."
	say
	say "| statement | protocol | computed | from the cache | SELECT 1 | cache / computed | cache / SELECT 1 |"
	say "|---|---|---:|---:|---:|---|---|"
	for shape in "${shapes[@]}"; do
		for protocol in "${protocols[@]}"; do
			cell=$protocol-$shape
			say "| $(shape_title "$shape") | $protocol" \
				"| $(cpu "$1" "$cell-off") | $(cpu "$1" "$cell-force")" \
				"| $(cpu "$1" "$protocol-one-off")" \
				"| $(ratio "$1" "$cell-force" "$cell-off")" \
				"| $(ratio "$1" "$cell-force" "$protocol-one-off") |"
		done
	done
	say
	say "Sending the bytes of the 1000 rows without looking for them, which no"
	say "cache can do without, takes $(cpu "$1" simple-rows-replay) us (simple)" \
		"and $(cpu "$1" prepared-rows-replay) us (prepared); an answer from the"
	say "cache costs $(ratio "$1" simple-rows-force simple-rows-replay)" \
		"and $(ratio "$1" prepared-rows-force prepared-rows-replay) of that."
}

# From which share of hits on the cache pays: (miss - off) / (miss - hit).
break_even() {
	awk -F '\t' -v origin="$2" '$1 == "cell" { cpu[$2] = $4 }
		END {
			gain = cpu[origin "-miss"] - cpu[origin "-hit"]
			loss = cpu[origin "-miss"] - cpu[origin "-off"]
			printf "%.1f %%", (loss > 0 ? 100 * loss / gain : 0)
		}' "$1"
}

origin_table() {
	local origin

	say "### Keeping an answer"
	say
	say "Server CPU in microseconds per prepared statement. Break-even is the share"
	say "of hits from which on the cache pays, if every miss is stored."
	say
	say "| result | computed | computed and kept | from the cache | kept / computed | break-even |"
	say "|---|---:|---:|---:|---|---:|"
	for origin in "${origins[@]}"; do
		say "| $(origin_title "$origin") | $(cpu "$1" "$origin-off")" \
			"| $(cpu "$1" "$origin-miss") | $(cpu "$1" "$origin-hit")" \
			"| $(ratio "$1" "$origin-miss" "$origin-off")" \
			"| $(break_even "$1" "$origin") |"
	done
}

load_table() {
	local protocol load cell

	say "### Loaded, and serving nothing"
	say
	say "Server CPU per transaction against a server without perfopt (first"
	say "column in microseconds, then ratios with 95 % intervals). \"second"
	say "server\" has no perfopt either: what it differs by is chance. \"pgss\" is"
	say "a server with pg_stat_statements. \`off\` neither counts nor serves,"
	say "\"statistics\" only counts, \`observe\` is the default. With \"entries\" an"
	say "idle session has answers in the cache that read the tables written to."
	say
	say "| transaction | protocol | without | second server | pgss | \`off\` | statistics | \`observe\` | \`auto\` | entries |"
	say "|---|---|---:|---|---|---|---|---|---|---|"
	for load in "${loads[@]}"; do
		for protocol in "${protocols[@]}"; do
			cell=$protocol-$load
			say "| $(load_title "$load") | $protocol" \
				"| $(cpu "$1" "$cell-none")" \
				"| $(ratio "$1" "$cell-again" "$cell-none")" \
				"| $(ratio "$1" "$cell-peer" "$cell-none")" \
				"| $(ratio "$1" "$cell-off" "$cell-none")" \
				"| $(ratio "$1" "$cell-statistics" "$cell-none")" \
				"| $(ratio "$1" "$cell-observe" "$cell-none")" \
				"| $(ratio "$1" "$cell-auto" "$cell-none")" \
				"| $(ratio "$1" "$cell-entries" "$cell-none") |"
		done
	done
}

# put_between FILE NAME TABLES: everything between the two markers of that
# name is ours.
put_between() {
	local file=$1
	local begin="<!-- $2: begin -->"
	local end="<!-- $2: end -->"

	mkdir -p "$(dirname "$file")"
	[ -e "$file" ] || echo "# Benchmarks" > "$file"
	grep -qF -- "$begin" "$file" ||
		printf '\n%s\n%s\n' "$begin" "$end" >> "$file"
	awk -v begin="$begin" -v end="$end" -v tables="$3" '
		$0 == end { inside = 0 }
		!inside { print }
		$0 == begin {
			inside = 1
			while ((getline line < tables) > 0)
				print line
		}' "$file" > "$WORK/benchmarks.md" &&
		cat "$WORK/benchmarks.md" > "$file"
}
