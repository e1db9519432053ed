/*-------------------------------------------------------------------------
 *
 * plan_json.h
 *	  Plans as EXPLAIN (FORMAT JSON) prints them, as trees of nodes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_PLAN_JSON_H
#define PFO_PLAN_JSON_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* a plan of more nodes is read in part: what comes first is what is on top */
#define PFO_PLAN_MAX_NODES 10000

/* What a node is to the one above it. */
typedef enum PfoPlanLink
{
	PFO_LINK_OUTER,				/* or the top, or what is not known */
	PFO_LINK_INNER,
	PFO_LINK_MEMBER,			/* of an Append or the like */
	PFO_LINK_SUBQUERY,
	PFO_LINK_INITPLAN,
	PFO_LINK_SUBPLAN
} PfoPlanLink;

/* Numbers are never negative; what the plan does not say is -1 or NULL. */
typedef struct PfoPlanNode
{
	JsonbContainer *json;		/* its keys, for the getters below */
	struct PfoPlanNode *parent;
	List	   *children;
	int			number;			/* in the order EXPLAIN prints them, from 1 */
	PfoPlanLink link;
	const char *cte;			/* what it computes, as CTE Scans ask for it */
	const char *type;			/* "Node Type" */
	const char *schema;			/* of the relation, if VERBOSE */
	const char *relation;
	const char *alias;
	double		plan_rows;		/* per loop */
	double		rows;			/* per loop */
	double		loops;			/* of all processes; 0: never executed */
	double		processes;		/* that share the loops; 1 if not parallel */
	double		planned_processes;
	double		total_ms;		/* elapsed, all loops, with what is below */
	double		own_ms;			/* elapsed, all loops, without */
} PfoPlanNode;

typedef struct PfoPlan
{
	JsonbContainer *json;		/* what stands beside "Plan" */
	PfoPlanNode *top;
	List	   *nodes;			/* all of them, in the order EXPLAIN prints */
	double		run_ms;			/* of the whole statement */
} PfoPlan;

/*
 * The plans in what EXPLAIN printed, most often one.  Raises an error if there
 * is none.  The result refers to the given value.
 */
extern List *pfo_plans_read(Jsonb *json);

/* What an object says under a key; -1 or NULL if it does not say it so. */
extern double pfo_json_number(JsonbContainer *object, const char *key);
extern char *pfo_json_text(JsonbContainer *object, const char *key);
extern bool pfo_json_true(JsonbContainer *object, const char *key);
extern JsonbContainer *pfo_json_object(JsonbContainer *object,
									   const char *key);

/* the elements of an array that are strings, or objects */
extern List *pfo_json_texts(JsonbContainer *object, const char *key);
extern List *pfo_json_objects(JsonbContainer *object, const char *key);

extern bool pfo_node_is(const PfoPlanNode *node, const char *type);

/* was it executed, by a plan that tells the number of rows? */
extern bool pfo_node_ran(const PfoPlanNode *node);

/* a number that EXPLAIN gives per loop, for all loops; 0 if not given */
extern double pfo_node_total(const PfoPlanNode *node, const char *key);

/* a number that EXPLAIN sums over a node and what is below, for it alone */
extern double pfo_node_own(const PfoPlanNode *node, const char *key);

/* the child that is linked so, or NULL */
extern PfoPlanNode *pfo_node_child(const PfoPlanNode *node, PfoPlanLink link);

/* "Seq Scan on orders o", as in EXPLAIN's text */
extern char *pfo_node_title(const PfoPlanNode *node);

/* the relation's name as a command has it, or NULL */
extern char *pfo_node_relation(const PfoPlanNode *node);

#endif							/* PFO_PLAN_JSON_H */
