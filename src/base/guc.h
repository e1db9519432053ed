/*-------------------------------------------------------------------------
 *
 * guc.h
 *	  The settings of perfopt: one variable each, defined and checked in
 *	  guc.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_GUC_H
#define PFO_GUC_H

typedef enum PfoCacheMode
{
	PFO_CACHE_OFF,				/* nothing is looked up, stored or counted */
	PFO_CACHE_OBSERVE,			/* count and predict, serve nothing */
	PFO_CACHE_MANUAL,			/* only statements asked for by a comment */
	PFO_CACHE_AUTO,				/* admission decides */
	PFO_CACHE_FORCE				/* every eligible statement (superusers) */
} PfoCacheMode;

#define PFO_CACHE_SIZE_DEFAULT	(64 * 1024) /* kB */
#define PFO_CACHE_SIZE_MIN		512
#define PFO_CACHE_SIZE_MAX		(1024 * 1024 * 1024)
#define PFO_MAX_RESULT_DEFAULT	(4 * 1024)	/* kB */
#define PFO_MAX_RESULT_MIN		1
#define PFO_MAX_RESULT_MAX		(512 * 1024)
#define PFO_MIN_TIME_DEFAULT	0.1 /* ms */
#define PFO_MIN_TIME_MAX		3600000.0
#define PFO_MIN_CALLS_DEFAULT	2
#define PFO_MIN_CALLS_MAX		1000

typedef enum PfoTrack
{
	PFO_TRACK_NONE,
	PFO_TRACK_TOP,				/* what clients send */
	PFO_TRACK_ALL				/* and what functions execute */
} PfoTrack;

#define PFO_MAX_STATEMENTS_DEFAULT	5000
#define PFO_MAX_STATEMENTS_MIN		100
#define PFO_MAX_STATEMENTS_MAX		1000000
#define PFO_MAX_LATENCY_SCOPES_DEFAULT	64
#define PFO_MAX_LATENCY_SCOPES_MIN	8
#define PFO_MAX_LATENCY_SCOPES_MAX	1000

#define PFO_SLOW_TIME_DEFAULT		1000	/* ms */
#define PFO_SLOW_QUERIES_DEFAULT	200
#define PFO_SLOW_QUERIES_MAX		10000

typedef enum PfoParameters
{
	PFO_PARAMETERS_OFF,
	PFO_PARAMETERS_REDACTED,	/* types and lengths */
	PFO_PARAMETERS_ON
} PfoParameters;

extern int	pfo_cache_mode;		/* PfoCacheMode */
extern int	pfo_cache_size;		/* kB */
extern int	pfo_cache_max_result;	/* kB */
extern double pfo_cache_min_time;	/* ms */
extern int	pfo_cache_min_calls;
extern double pfo_cache_verify; /* share of hits, 0 to 1 */
extern bool pfo_cache_wire;
extern int	pfo_track;			/* PfoTrack */
extern bool pfo_track_utility;
extern int	pfo_max_statements;
extern int	pfo_max_latency_scopes;
extern int	pfo_slow_query_time;	/* ms, or -1 */
extern int	pfo_slow_query_parameters;	/* PfoParameters */
extern bool pfo_log_slow_queries;
extern int	pfo_slow_queries;
extern bool pfo_explain;
extern bool pfo_debug_reserve;

/* does this mode answer statements from the cache? */
#define pfo_mode_serves(mode) ((mode) >= PFO_CACHE_MANUAL)

extern void pfo_guc_init(void);

#endif							/* PFO_GUC_H */
