/*-------------------------------------------------------------------------
 *
 * diagnose_code.h
 *	  What can be wrong in a plan: the one list of codes, which the function,
 *	  its tests and documents share.
 *
 * Each line: symbol, the code that users see, what it means, what to do where
 * the plan says nothing more precise.  An advice that begins with a command
 * can be pasted as it stands: what is no command is in a comment at its end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_DIAGNOSE_CODE_H
#define PFO_DIAGNOSE_CODE_H

#define PFO_DIAGNOSES(D) \
	/* how rows are found */ \
	D(SEQ_SCAN_DISCARDS_MOST, "seq_scan_discards_most", \
	  "the whole table was read for few of its rows", \
	  "create an index on the columns of the filter") \
	D(INDEX_DEFEATED, "index_defeated", \
	  "the filter is written so that no plain index on the column helps", \
	  "compare the bare column with a value of its type") \
	D(INDEX_FILTERED_ROWS, "index_filtered_rows", \
	  "most rows that the index led to were discarded", \
	  "create an index that has the columns of the filter as well") \
	D(BITMAP_LOSSY, "bitmap_lossy", \
	  "the bitmap did not fit in work_mem, so that whole pages were checked again", \
	  "raise work_mem for this statement") \
	D(HEAP_FETCHES, "heap_fetches", \
	  "the index only scan had to visit the table, as pages are not known to be all-visible", \
	  "VACUUM the table, and let autovacuum come by more often") \
	D(DEAD_ROWS, "dead_rows", \
	  "much of what the table holds is dead rows", \
	  "VACUUM the table, and look for old transactions that keep its rows") \
	D(COLD_READS, "cold_reads", \
	  "most blocks were not in shared_buffers", \
	  "run it again: if that reads nothing, the cache was cold; if it reads as much, read less (an index) or raise shared_buffers") \
	/* how they are put together */ \
	D(ESTIMATE_OFF, "estimate_off", \
	  "the planner expected another number of rows", \
	  "ANALYZE the tables below this node; estimates above it are off as a result") \
	D(NESTED_LOOP_MANY, "nested_loop_many", \
	  "the inner side of the nested loop ran very often", \
	  "an equality between columns of both sides lets a hash join read it once") \
	D(SORT_SPILLED, "sort_spilled", \
	  "the sort did not fit in work_mem", \
	  "raise work_mem for this statement, or sort fewer rows") \
	D(HASH_SPILLED, "hash_spilled", \
	  "the hash table did not fit in work_mem times hash_mem_multiplier", \
	  "raise work_mem for this statement, or hash fewer rows") \
	D(MISSING_PARALLEL_WORKERS, "missing_parallel_workers", \
	  "fewer parallel workers ran than the plan was made for", \
	  "raise max_parallel_workers and max_worker_processes, or lower max_parallel_workers_per_gather so that fewer are planned for") \
	/* what is spent beside the plan's nodes */ \
	D(JIT_DOMINATES, "jit_dominates", \
	  "compiling took a large part of the time", \
	  "SET jit = off; -- or jit_above_cost above the cost of this plan") \
	D(PLANNING_DOMINATES, "planning_dominates", \
	  "planning took longer than running", \
	  "prepare the statement once and execute it often; a join of many tables or partitions is what is long to plan") \
	D(LOCK_WAIT, "lock_wait", \
	  "the statement waited for a lock that another transaction held", \
	  "keep transactions that lock short, SET lock_timeout where waiting is pointless, and log_lock_waits to see who waits for whom")

typedef enum PfoDiagnosisCode
{
#define PFO_DIAGNOSIS_ENUM(sym, name, meaning, advice) PFO_DIAGNOSIS_##sym,
	PFO_DIAGNOSES(PFO_DIAGNOSIS_ENUM)
#undef PFO_DIAGNOSIS_ENUM
	PFO_NDIAGNOSES
} PfoDiagnosisCode;

#endif							/* PFO_DIAGNOSE_CODE_H */
