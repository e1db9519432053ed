# What scripts/test and t/core share.  Sourced, by bash.

export LC_ALL=C.UTF-8
PG_CONFIG=${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}
export PG_CONFIG

die() {
	echo "$(basename "$0"): $*" >&2
	exit 1
}

pg_major() {
	"$PG_CONFIG" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/'
}

# A new directory that user postgres can enter, which TMPDIR need not be.
work_dir() {
	local dir
	dir=$(mktemp -d "${PERFOPT_TMP:-/tmp}/$1.XXXXXX")
	chmod 755 "$dir"
	echo "$dir"
}

# Servers refuse to run as root: root hands them to user postgres.
give_to_postgres() {
	[ "$(id -u)" != 0 ] || chown -R postgres: "$1"
}

as_postgres() {
	if [ "$(id -u)" = 0 ]; then
		runuser -u postgres -- env -i PATH="$PATH" HOME=/tmp LC_ALL="$LC_ALL" \
			PG_CONFIG="$PG_CONFIG" "$@"
	else
		"$@"
	fi
}

# count FILE: adds its last "N passed, N failed" to $passed and $failed;
# a file without one tells of something that did not run
count() {
	local last
	last=$(grep -oE '[0-9]+ passed, [0-9]+ failed$' "$1" | tail -1)
	set -- $last
	passed=$((passed + ${1:-0}))
	failed=$((failed + ${3:-1}))
}
