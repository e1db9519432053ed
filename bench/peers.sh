# peers.sh: the same answers from perfopt and from what else keeps results.
# Sourced by bench/run.
#
# Throughput as clients see it, over Unix sockets, in rounds in which everybody
# has a turn: PostgreSQL that computes, perfopt, Pgpool-II with its query cache
# in shared memory, a materialized view, and Redis, which is given the result
# as text under one name per result.  pgbench is the client, for Redis
# redis-benchmark; neither uses what it reads.  Redis is asked for bytes that
# somebody put there, and nobody takes them back when a table changes.

peers=(computed perfopt pgpool view redis)
peer_protocols=(simple prepared)
peer_clients=(1 4)
PGPOOL_PORT=54330

need_peers() {
	local missing=()

	[ -x /usr/sbin/pgpool ] || missing+=(pgpool2)
	[ -x /usr/bin/redis-server ] || missing+=(redis-server)
	[ -x /usr/bin/redis-benchmark ] || missing+=(redis-tools)
	[ ${#missing[@]} -eq 0 ] && return
	step "installing by apt: ${missing[*]}"
	apt-get update -q > "$WORK/apt.log" 2>&1 ||
		say "  (apt-get update failed; trying with the lists at hand)"
	without_services apt_install "${missing[@]}"
}

# A daemon's package starts the daemon unless this policy forbids it.
without_services() {
	local policy=/usr/sbin/policy-rc.d

	if [ -e $policy ]; then
		"$@"
		return
	fi
	printf '#!/bin/sh\nexit 101\n' > $policy
	chmod 755 $policy
	"$@"
	rm -f $policy
}

pgpool_start() {
	local dir=$WORK/pgpool

	install -d -o postgres -g postgres -m 700 "$dir" "$dir/oid"
	cat > "$dir/pgpool.conf" <<-CONF
		listen_addresses = ''
		port = $PGPOOL_PORT
		socket_dir = '$dir'
		pcp_socket_dir = '$dir'
		pcp_listen_addresses = ''
		backend_clustering_mode = 'raw'
		backend_hostname0 = '$WORK/none'
		backend_port0 = $PG_PORT
		enable_pool_hba = off
		num_init_children = 8
		max_pool = 1
		logdir = '$dir'
		pid_file_name = '$dir/pgpool.pid'
		memory_cache_enabled = on
		memqcache_method = 'shmem'
		memqcache_total_size = 128MB
		memqcache_maxcache = 900kB
		memqcache_oiddir = '$dir/oid'
		check_temp_table = none
		check_unlogged_table = off
	CONF
	: > "$dir/pool_hba.conf"
	: > "$dir/pcp.conf"
	chown -R postgres: "$dir"
	as_postgres /usr/sbin/pgpool -n -f "$dir/pgpool.conf" \
		-a "$dir/pool_hba.conf" -F "$dir/pcp.conf" > "$dir/log" 2>&1 &
	wait_for "Pgpool-II" "$BIN/psql" -X -At -h "$dir" -p $PGPOOL_PORT \
		-U postgres -c "SELECT 1" none
}

# By their own commands: children of a Pgpool-II that is killed go on, and need
# a core each.
peers_stop() {
	local dir=$WORK/pgpool

	[ ! -e "$dir/pgpool.pid" ] ||
		as_postgres /usr/sbin/pgpool -f "$dir/pgpool.conf" \
			-F "$dir/pcp.conf" -m fast stop > /dev/null 2>&1
	[ ! -S "$WORK/redis/socket" ] ||
		redis-cli -s "$WORK/redis/socket" SHUTDOWN NOSAVE > /dev/null 2>&1
}

redis_start() {
	install -d -o postgres -g postgres -m 700 "$WORK/redis"
	as_postgres /usr/bin/redis-server --port 0 --save '' --appendonly no \
		--dir "$WORK/redis" --unixsocket "$WORK/redis/socket" \
		> "$WORK/redis/log" 2>&1 &
	wait_for "Redis" redis-cli -s "$WORK/redis/socket" PING
}

# wait_for NAME COMMAND...
wait_for() {
	local name=$1 i

	shift
	for i in {1..100}; do
		"$@" > /dev/null 2>&1 && return
		sleep 0.1
	done
	die "$name does not start"
}

# What is asked of the view, which holds the answers.
view_statement() {
	case $1 in
		join) echo "SELECT * FROM joined WHERE client = :id ORDER BY id, line" ;;
		aggregate) echo "SELECT * FROM grouped ORDER BY grp" ;;
	esac
}

make_views() {
	sql none none <<-SQL
		CREATE MATERIALIZED VIEW grouped AS $(shape_sql aggregate);
		CREATE MATERIALIZED VIEW joined AS
		SELECT k.id AS client, r.name AS region, c.name AS country, k.name AS name,
			p.id, l.line, d.name AS product, l.amount
		FROM region r JOIN country c ON c.region = r.id
			JOIN client k ON k.country = c.id
			JOIN purchase p ON p.client = k.id
			JOIN purchase_line l ON l.purchase = p.id
			JOIN product d ON d.id = l.product;
		CREATE INDEX ON joined (client);
		VACUUM ANALYZE;
	SQL
}

shape_sql() {
	shape_statement "$1" | sed -n 's/^stmt //p'
}

# A script of pgbench for each statement, and its answer for Redis.
write_scripts() {
	local shape

	for shape in "${shapes[@]}"; do
		{
			shape_statement "$shape" |
				sed -n 's/^var \([a-z]*\) \([0-9]*\) \([0-9]*\)$/\\set \1 random(\2, \3)/p'
			shape_sql "$shape"
		} > "$WORK/$shape.sql"
		{
			echo '\set id random(1, 20)'
			view_statement "$shape"
		} > "$WORK/$shape-view.sql"
		sql none none -At -v id=7 > "$WORK/$shape.answer" <<< "$(shape_sql "$shape");"
		redis-cli -s "$WORK/redis/socket" -x SET "$shape" \
			< "$WORK/$shape.answer" > /dev/null
	done
	chmod a+r "$WORK"/*.sql
}

# tps SHAPE PROTOCOL CLIENTS PEER: transactions per second, nothing if the peer
# has no part in it.  All keep one connection per client.
tps() {
	local shape=$1 protocol=$2 clients=$3 peer=$4
	local script=$shape at

	case $peer in
		computed) at="-h $WORK/none -p $PG_PORT" db=none ;;
		perfopt) at="-h $WORK/loaded -p $PG_PORT" db=served ;;
		pgpool) at="-h $WORK/pgpool -p $PGPOOL_PORT" db=none ;;
		view)
			[ -n "$(view_statement "$shape")" ] || return
			at="-h $WORK/none -p $PG_PORT" db=none script=$shape-view
			;;
		redis)
			redis-benchmark -s "$WORK/redis/socket" -c "$clients" \
				-n $((peer_seconds * 30000)) --csv GET "$shape" |
				tail -n 1 | awk -F '"' '{ print $4 }'
			return
			;;
	esac
	"$BIN/pgbench" $at -U postgres -n -M "$protocol" -c "$clients" \
		-T "$peer_seconds" -f "$WORK/$script.sql" "$db" 2> /dev/null |
		sed -n 's/^tps = \([0-9.]*\) (without.*/\1/p'
}

measure_peers() {
	local round shape protocol clients peer

	for ((round = 0; round <= peer_rounds; round++)); do
		for shape in "${shapes[@]}"; do
			for protocol in "${peer_protocols[@]}"; do
				for clients in "${peer_clients[@]}"; do
					for peer in $(shuf -e "${peers[@]}"); do
						# round 0 fills caches
						printf '%s\t%s\t%s\n' "$shape-$protocol-$clients-$peer" \
							$round "$(tps "$shape" "$protocol" "$clients" "$peer")"
					done
				done
			done
		done
	done
}

# against FILE CELL PEER: median, and least and most, of the throughput by
# that of computing in the same round
against() {
	awk -F '\t' -v cell="$2" -v peer="$3" '
		$2 == 0 || $3 == "" { next }
		$1 == cell "-computed" { computed[$2] = $3 }
		$1 == cell "-" peer { tps[$2] = $3 }
		END {
			for (r in tps)
				print tps[r] / computed[r]
		}' "$1" | sort -g | awk '{ v[NR] = $1 }
		END {
			if (NR == 0)
				printf "-"
			else
			{
				m = (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2
				f = m < 10 ? "%.2f (%.2f to %.2f)" : "%.0f (%.0f to %.0f)"
				printf f, m, v[1], v[NR]
			}
		}'
}

peer_table() {
	local shape protocol clients cell

	say "Throughput against computing it, medians of $peer_rounds rounds (least to"
	say "most), larger is better; \"computed\" in statements per second."
	say
	say "| statement | protocol | clients | computed | perfopt | Pgpool-II | materialized view | Redis GET |"
	say "|---|---|---:|---:|---|---|---|---|"
	for shape in "${shapes[@]}"; do
		for protocol in "${peer_protocols[@]}"; do
			for clients in "${peer_clients[@]}"; do
				cell=$shape-$protocol-$clients
				say "| $(shape_title "$shape") | $protocol | $clients" \
					"| $(awk -F '\t' -v cell="$cell-computed" '
						$1 == cell && $2 > 0 { print $3 }' "$1" | sort -g |
						awk '{ v[NR] = $1 } END { printf "%.0f", v[int((NR + 1) / 2)] }')" \
					"| $(against "$1" "$cell" perfopt)" \
					"| $(against "$1" "$cell" pgpool)" \
					"| $(against "$1" "$cell" view)" \
					"| $(against "$1" "$cell" redis) |"
			done
		done
	done
}
