# cells.sh: what bench/run measures, as bench/client.c reads it.  Sourced.
#
# Each part writes its cells, and then the ratios that are wanted of them.

protocols=(simple prepared)

# ---------- 1. an answer from the cache ----------

shapes=(pk join aggregate rows)

shape_title() {
	case $1 in
		pk) echo "primary-key lookup" ;;
		join) echo "6-table join, 20 rows" ;;
		aggregate) echo "50 groups of 100,000 rows" ;;
		rows) echo "1000 rows of 8 columns" ;;
	esac
}

shape_statement() {
	case $1 in
		one) echo "stmt SELECT 1" ;;
		pk)
			echo "var id 1 20"
			echo "stmt SELECT * FROM item WHERE id = :id"
			;;
		join)
			echo "var id 1 20"
			echo "stmt SELECT r.name, c.name, k.name, p.id, l.line, d.name, l.amount" \
				"FROM region r JOIN country c ON c.region = r.id" \
				"JOIN client k ON k.country = c.id" \
				"JOIN purchase p ON p.client = k.id" \
				"JOIN purchase_line l ON l.purchase = p.id" \
				"JOIN product d ON d.id = l.product" \
				"WHERE k.id = :id ORDER BY p.id, l.line"
			;;
		aggregate)
			echo "stmt SELECT grp, count(*), sum(amount), avg(amount), max(amount)" \
				"FROM item GROUP BY grp ORDER BY grp"
			;;
		rows) echo "stmt SELECT * FROM wide ORDER BY id" ;;
	esac
}

# connection SERVER DATABASE
connection() {
	echo "conn host=$WORK/$1 port=$PG_PORT user=postgres dbname=$2"
}

# Each statement from the cache and without it.  SELECT 1 stands for what no
# statement can do without, the replay for what no large answer can.
shape_cells() {
	local protocol shape setting

	for protocol in "${protocols[@]}"; do
		for shape in one "${shapes[@]}"; do
			for setting in off force; do
				[ "$shape-$setting" != one-force ] || continue
				echo "cell $protocol-$shape-$setting"
				connection loaded postgres
				echo "mode $protocol"
				echo "set SET perfopt.cache = $setting"
				shape_statement "$shape"
			done
		done
		echo "cell $protocol-rows-replay"
		connection loaded postgres
		echo "mode $protocol"
		echo "set SET perfopt.cache = off"
		echo "set LOAD '$WORK/replay.so'"
		echo "set SET replay.mode = record"
		echo "set $(shape_statement rows | sed 's/^stmt //')"
		echo "set SET replay.mode = play"
		echo "stmt SELECT * FROM wide WHERE false"
	done
	for protocol in "${protocols[@]}"; do
		for shape in "${shapes[@]}"; do
			echo "ratio $protocol-$shape-force $protocol-$shape-off"
			echo "ratio $protocol-$shape-force $protocol-one-off"
		done
		echo "ratio $protocol-rows-force $protocol-rows-replay"
	done
}

# ---------- 2. keeping an answer ----------

# What is kept, and how long it takes to compute.
origins=(row-1 row-10 rows-1)

origin_title() {
	case $1 in
		row-1) echo "one row, about 1 ms" ;;
		row-10) echo "one row, about 10 ms" ;;
		rows-1) echo "1000 rows of 8 columns, about 1 ms" ;;
	esac
}

# The value of :n changes the key and nothing else.
origin_statement() {
	case $1 in
		row-1) echo "stmt SELECT count(*), sum(amount) FROM item WHERE id <= 9000 AND amount + :n > 0" ;;
		row-10) echo "stmt SELECT count(*), sum(amount) FROM item WHERE id <= 90000 AND amount + :n > 0" ;;
		rows-1) echo "stmt SELECT * FROM wide WHERE id + :n > 0 ORDER BY id" ;;
	esac
}

# Twenty different statements, all of them hits, or so many that all miss and
# each answer is stored.
origin_cells() {
	local origin way

	for origin in "${origins[@]}"; do
		for way in off hit miss; do
			echo "cell $origin-$way"
			connection loaded postgres
			echo "mode prepared"
			case $way in
				off) echo "set SET perfopt.cache = off" ;;
				*) echo "set SET perfopt.cache = force" ;;
			esac
			case $way in
				hit) echo "var n 1 20" ;;
				*) echo "var n 1000 1000000000" ;;
			esac
			origin_statement "$origin"
		done
	done
	for origin in "${origins[@]}"; do
		echo "ratio $origin-miss $origin-off"
		echo "ratio $origin-hit $origin-off"
	done
}

# ---------- 3. loaded, and serving nothing ----------

loads=(select unique tpcb)

load_title() {
	case $1 in
		select) echo "pgbench -S" ;;
		unique) echo "3000 accounts, never the same" ;;
		tpcb) echo "pgbench TPC-B-like" ;;
	esac
}

# The ways a load is run.  "again" is a second server without perfopt: what it
# differs from the first one is chance.  "peer" is one with pg_stat_statements.
# "off" counts and serves nothing, "statistics" only counts, "observe" is what
# the defaults do.  "entries" are answers in the cache that read what the
# transactions write.
load_settings() {
	case $1 in
		tpcb) echo none again peer off statistics observe auto entries ;;
		*) echo none again peer off statistics observe auto ;;
	esac
}

load_statements() {
	case $1 in
		select)
			echo "var aid 1 100000"
			echo "stmt SELECT abalance FROM pgbench_accounts WHERE aid = :aid"
			;;
		unique)
			echo "var aid 1 90000"
			echo "var n 2000 4000"
			echo "stmt SELECT count(*), sum(abalance) FROM pgbench_accounts" \
				"WHERE aid > :aid AND aid - :n < :aid"
			;;
		tpcb)
			echo "var aid 1 100000"
			echo "var bid 1 1"
			echo "var tid 1 10"
			echo "var delta -5000 5000"
			echo "stmt BEGIN"
			echo "stmt UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid"
			echo "stmt SELECT abalance FROM pgbench_accounts WHERE aid = :aid"
			echo "stmt UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid"
			echo "stmt UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid"
			echo "stmt INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP)"
			echo "stmt END"
			;;
	esac
}

# Each setting has a database of its own, so that what the transactions leave
# behind grows alike.
load_cells() {
	local protocol load setting
	local ratios=()

	for protocol in "${protocols[@]}"; do
		for load in "${loads[@]}"; do
			for setting in $(load_settings "$load"); do
				echo "cell $protocol-$load-$setting"
				case $setting in
					none | again | peer) connection "$setting" "$setting" ;;
					*) connection loaded "$setting" ;;
				esac
				case $setting in
					off)
						echo "set SET perfopt.cache = off"
						echo "set SET perfopt.track = none"
						;;
					statistics) echo "set SET perfopt.cache = off" ;;
					observe | auto) echo "set SET perfopt.cache = $setting" ;;
				esac
				echo "mode $protocol"
				load_statements "$load"
				[ "$setting" = none ] ||
					ratios+=("$protocol-$load-$setting $protocol-$load-none")
			done
		done
	done
	# who reads, idle most of the time, what those of "entries" write
	echo "cell reader"
	connection loaded entries
	echo "mode prepared"
	echo "set SET perfopt.cache = force"
	echo "stmt SELECT * FROM pgbench_accounts WHERE aid = 1"
	echo "stmt SELECT sum(tbalance) FROM pgbench_tellers"
	echo "stmt SELECT sum(bbalance) FROM pgbench_branches"
	echo "stmt SELECT * FROM pgbench_history LIMIT 1"
	printf 'ratio %s\n' "${ratios[@]}"
}
