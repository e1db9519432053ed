# server.sh: throw-away PostgreSQL servers for scripts/demo and bench/run.
#
# Sourced, not run.  Everything lives in one directory, $WORK: a private copy
# of the PostgreSQL installation with perfopt installed into it, the build,
# and any number of servers.  PostgreSQL finds its library and share
# directories relative to its own executable, so a copied executable beside
# links to the rest is a complete installation, and "make install DESTDIR="
# puts perfopt there and nowhere else.  Nothing outside $WORK is written
# (apart from Debian packages that were missing), no existing server is
# touched, and no server listens on anything but a Unix socket in a directory
# that belongs to user postgres alone.

. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

if [ -x "$PG_CONFIG" ]; then
	PG_BIN=$("$PG_CONFIG" --bindir)
else
	PG_BIN=/usr/lib/postgresql/15/bin
fi
PG_PORT=54329
WORK=
KEEP=
CREATECLUSTER=/etc/postgresql-common/createcluster.conf
SERVERS=()

say() {
	printf '%s\n' "$*"
}

step() {
	printf '[%4ds] %s\n' $SECONDS "$*"
}

# Servers refuse to run as root and packages need it: become root, once.
become_root() {
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo > /dev/null || die "run me as root, or install sudo"
		exec sudo PG_CONFIG="$PG_CONFIG" bash "$0" "$@"
	fi
}

restore_createcluster() {
	if [ -e "$CREATECLUSTER.before-perfopt" ]; then
		mv -f "$CREATECLUSTER.before-perfopt" "$CREATECLUSTER"
	fi
}

apt_install() {
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
		--no-install-recommends "$@" > "$WORK/apt.log" 2>&1 ||
	{
		tail -n 20 "$WORK/apt.log" >&2
		die "apt-get could not install: $*"
	}
}

# Installing a PostgreSQL server package creates and starts a default cluster
# on port 5432 unless createcluster.conf says otherwise; that file comes with
# postgresql-common, which alone creates nothing.
need_packages() {
	local missing=()
	local major=${PG_BIN#/usr/lib/postgresql/}

	major=${major%/bin}

	[ -x "$PG_BIN/postgres" ] || missing+=("postgresql-$major")
	[ -e "/usr/include/postgresql/$major/server/postgres.h" ] &&
		[ -x "$PG_BIN/pg_config" ] ||
		missing+=("postgresql-server-dev-$major")
	[ -e /usr/include/postgresql/libpq-fe.h ] || missing+=(libpq-dev)
	command -v gcc > /dev/null || missing+=(gcc libc6-dev)
	command -v make > /dev/null || missing+=(make)
	[ ${#missing[@]} -eq 0 ] && return

	step "installing by apt: ${missing[*]}"
	apt-get update -q > "$WORK/apt.log" 2>&1 ||
		say "  (apt-get update failed; trying with the lists at hand)"
	if [ ! -x "$PG_BIN/postgres" ]; then
		apt_install postgresql-common
		cp -p "$CREATECLUSTER" "$CREATECLUSTER.before-perfopt"
		echo "create_main_cluster = false" >> "$CREATECLUSTER"
		apt_install "postgresql-$major"
		restore_createcluster
	fi
	apt_install "${missing[@]}"
	PG_CONFIG=$PG_BIN/pg_config
}

make_work() {
	WORK=$(work_dir "$1")
	cd "$WORK" || exit 1
}

private_install() {
	local dir

	for dir in "$("$PG_BIN/pg_config" --pkglibdir)" \
		"$("$PG_BIN/pg_config" --sharedir)"; do
		mkdir -p "$WORK/root$(dirname "$dir")"
		cp -rs "$dir" "$WORK/root$(dirname "$dir")/"
	done
	mkdir -p "$WORK/root$PG_BIN"
	cp "$PG_BIN"/{postgres,initdb,pg_ctl,pgbench,psql} "$WORK/root$PG_BIN/"
	# A perfopt that the machine already has must not be overwritten through
	# a link, nor be what is measured.
	find "$WORK/root" -name 'perfopt*' -delete
	BIN=$WORK/root$PG_BIN
}

# Build a copy of the checkout, so that the checkout stays as it is.
build_perfopt() {
	mkdir "$WORK/build"
	tar -C "$1" --exclude=.git --exclude='*.o' --exclude='*.so' \
		--exclude='*.bc' -cf - . | tar -C "$WORK/build" -xf -
	make -C "$WORK/build" -s PG_CONFIG="$PG_BIN/pg_config" with_llvm=no \
		> "$WORK/build.log" 2>&1 &&
		make -C "$WORK/build" -s PG_CONFIG="$PG_BIN/pg_config" with_llvm=no \
			DESTDIR="$WORK/root" install >> "$WORK/build.log" 2>&1 ||
	{
		tail -n 20 "$WORK/build.log" >&2
		die "perfopt does not build"
	}
}

# server_init NAME: the configuration's further lines come from stdin.
server_init() {
	local dir=$WORK/$1

	install -d -o postgres -g postgres -m 700 "$dir"
	as_postgres "$BIN/initdb" -D "$dir/data" -U postgres -A trust \
		--encoding=UTF8 --locale=C.UTF-8 --no-instructions \
		> "$WORK/$1.initdb.log" 2>&1 || die "initdb failed: $WORK/$1.initdb.log"
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$dir'"
		echo "port = $PG_PORT"
		cat
	} >> "$dir/data/postgresql.conf"
}

server_start() {
	SERVERS+=("$1")
	as_postgres "$BIN/pg_ctl" -D "$WORK/$1/data" -l "$WORK/$1/log" -w -s \
		start > "$WORK/$1.start.log" 2>&1 ||
	{
		tail -n 20 "$WORK/$1/log" >&2
		die "the private server does not start"
	}
}

server_stop() {
	[ ! -e "$WORK/$1/data/postmaster.pid" ] ||
		as_postgres "$BIN/pg_ctl" -D "$WORK/$1/data" -m "${2:-fast}" -w -s \
			stop > /dev/null 2>&1
}

# sql SERVER DATABASE [psql options]
sql() {
	local server=$1 db=$2

	shift 2
	PGAPPNAME=perfopt "$BIN/psql" -X -q -h "$WORK/$server" -p $PG_PORT \
		-U postgres -v ON_ERROR_STOP=1 "$@" "$db"
}

# value SERVER DATABASE STATEMENT: a single value
value() {
	sql "$1" "$2" -At -c "$3"
}

# End what this script started, by process id, and remove what it wrote.
cleanup() {
	local status=$? name pid

	trap - EXIT
	trap '' INT TERM HUP
	for pid in $(jobs -p); do
		kill "$pid" 2> /dev/null
	done
	restore_createcluster
	if [ -n "$WORK" ] && [ -z "$KEEP" ]; then
		for name in "${SERVERS[@]}"; do
			server_stop "$name" immediate
		done
		cd /
		rm -rf "$WORK"
	fi
	exit $status
}

clean_up_on_exit() {
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}
