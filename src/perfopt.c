/*-------------------------------------------------------------------------
 *
 * perfopt.c
 *	  Loading the library: settings, shared memory, hooks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "base/compat.h"
#include "base/contain.h"
#include "base/guc.h"
#include "base/hash.h"
#include "base/sql.h"
#include "cache/counters.h"
#include "cache/messages.h"
#include "cache/policy.h"
#include "cache/store.h"
#include "cache/versions.h"
#include "cache/wire.h"
#include "hooks.h"
#include "workload/latency.h"
#include "workload/slow_ring.h"
#include "workload/statements.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;
static bool memory_requested = false;

/* What is left of perfopt.cache_size for the entries. */
static Size
store_share(void)
{
	Size		total = (Size) pfo_cache_size * 1024;
	Size		fixed = pfo_versions_shmem_size() +
		pfo_counters_shmem_size() + pfo_policy_shmem_size();

	return total > fixed ? total - fixed : 0;
}

static void
shmem_request(void)
{
	if (prev_shmem_request)
		prev_shmem_request();
	RequestAddinShmemSpace(pfo_versions_shmem_size());
	RequestAddinShmemSpace(pfo_counters_shmem_size());
	RequestAddinShmemSpace(pfo_policy_shmem_size());
	RequestAddinShmemSpace(pfo_store_shmem_size(store_share()));
	RequestAddinShmemSpace(pfo_statements_shmem_size());
	RequestAddinShmemSpace(pfo_latency_shmem_size());
	RequestAddinShmemSpace(pfo_slow_shmem_size());
	memory_requested = true;
}

static void
shmem_startup(void)
{
	if (prev_shmem_startup)
		prev_shmem_startup();
	if (!memory_requested)
		ereport(FATAL,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("perfopt could not request its shared memory"),
				 errdetail("A library that is named after it in shared_preload_libraries does not pass the call on."),
				 errhint("Put perfopt after that library.")));
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	pfo_versions_shmem_init();
	pfo_counters_shmem_init();
	pfo_policy_shmem_init();
	pfo_store_shmem_init(store_share());
	pfo_statements_shmem_init();
	pfo_latency_shmem_init();
	pfo_slow_shmem_init();
	pfo_set_preloaded();
	LWLockRelease(AddinShmemInitLock);
}

/*
 * Transaction callbacks run in the reverse order of loading: only the first
 * library sees what all others wrote in theirs.
 */
static bool
is_first_library(void)
{
	const char *s = shared_preload_libraries_string;

	while (isspace((unsigned char) *s) || *s == '"')
		s++;
	if (strncmp(s, "$libdir/", 8) == 0)
		s += 8;
	if (strncmp(s, "perfopt", 7) != 0)
		return false;
	s += 7;
	return *s == '\0' || *s == ',' || *s == '"' || *s == '.' ||
		isspace((unsigned char) *s);
}

/* Failures inside perfopt are counted where the cache counts. */
static void
count_failure(void)
{
	pfo_count(PFO_COUNT_ERRORS, 1);
}

void
_PG_init(void)
{
	uint64		seed;

	/* the functions say how to preload the library */
	if (!process_shared_preload_libraries_in_progress)
		return;

	if (!pg_strong_random(&seed, sizeof(seed)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("perfopt could not get random bytes")));
	pfo_hash_seed(seed);
	pfo_guc_init();
	EnableQueryId();			/* unless compute_query_id is off */
	pfo_messages_init();
	pfo_wire_init();

	if (!is_first_library())
	{
		ereport(WARNING,
				(errmsg("perfopt is not the first of shared_preload_libraries"),
				 errdetail("Rows that other libraries write while a transaction commits are guarded by a check at each lookup."),
				 errhint("Put perfopt first: shared_preload_libraries = 'perfopt, ...'.")));
		pfo_versions_arm_fence();
	}

	pfo_contain_count_by(count_failure);
	pfo_on_reset(pfo_counters_reset);
	pfo_on_reset(pfo_policy_reset);
	pfo_on_reset(pfo_statements_reset);
	pfo_on_reset(pfo_latency_reset);
	pfo_on_reset(pfo_slow_reset);

	prev_shmem_request = shmem_request_hook;
	shmem_request_hook = shmem_request;
	prev_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = shmem_startup;
	pfo_hooks_install();
}
