/*-------------------------------------------------------------------------
 *
 * plan_json.c
 *	  Plans as EXPLAIN (FORMAT JSON) prints them, as trees of nodes.
 *
 * PostgreSQL's jsonb does the parsing.  Here the outer forms are told apart
 * ([{"Plan": ...}] of EXPLAIN, {"Plan": ...} of auto_explain and of perfopt),
 * nodes get their place in the tree, and the few numbers that every check
 * wants are computed once.  All else stays in the jsonb, to be asked for by
 * key: versions differ in the keys they print, and a key that is not there is
 * never an error.
 *
 * EXPLAIN gives times and rows per loop, and in the workers' part of a plan
 * each process counts a loop.  What a user waits for is the time of all loops
 * divided by the processes that shared them; so much is kept here.  How many
 * did is what the child of a Gather counts more loops than the Gather.
 *
 * Whoever calls chooses the memory, and frees it.  Numbers come from somebody
 * else: they are limited to PFO_MAX_NUMBER, so that no product of them is
 * infinite.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "workload/plan_json.h"

#define PFO_MAX_NUMBER	1e15

/*
 * Getters
 */

static bool
find(JsonbContainer *object, const char *key, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(object, key, strlen(key),
										value) != NULL;
}

static char *
text_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

double
pfo_json_number(JsonbContainer *object, const char *key)
{
	JsonbValue	value;
	Datum		datum;
	double		number;

	if (!find(object, key, &value) || value.type != jbvNumeric)
		return -1;
	datum = NumericGetDatum(value.val.numeric);
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												datum));
	return Min(Max(number, 0), PFO_MAX_NUMBER);
}

char *
pfo_json_text(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!find(object, key, &value) || value.type != jbvString)
		return NULL;
	return text_of(&value);
}

bool
pfo_json_true(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	return find(object, key, &value) && value.type == jbvBool &&
		value.val.boolean;
}

JsonbContainer *
pfo_json_object(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!find(object, key, &value) || value.type != jbvBinary ||
		!JsonContainerIsObject(value.val.binary.data))
		return NULL;
	return value.val.binary.data;
}

/* The elements of the array that are of this type. */
static List *
elements(JsonbContainer *object, const char *key, enum jbvType type)
{
	JsonbValue	value;
	JsonbContainer *array;
	List	   *result = NIL;

	if (!find(object, key, &value) || value.type != jbvBinary ||
		!JsonContainerIsArray(value.val.binary.data))
		return NIL;
	array = value.val.binary.data;
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array, i);

		if (element->type != type)
			continue;
		if (type == jbvString)
			result = lappend(result, text_of(element));
		else if (JsonContainerIsObject(element->val.binary.data))
			result = lappend(result, element->val.binary.data);
	}
	return result;
}

List *
pfo_json_texts(JsonbContainer *object, const char *key)
{
	return elements(object, key, jbvString);
}

List *
pfo_json_objects(JsonbContainer *object, const char *key)
{
	return elements(object, key, jbvBinary);
}

bool
pfo_node_is(const PfoPlanNode *node, const char *type)
{
	return strcmp(node->type, type) == 0;
}

bool
pfo_node_ran(const PfoPlanNode *node)
{
	return node->rows >= 0 && node->loops > 0;
}

double
pfo_node_total(const PfoPlanNode *node, const char *key)
{
	double		number = pfo_json_number(node->json, key);

	return number > 0 ? number * Max(node->loops, 0) : 0;
}

double
pfo_node_own(const PfoPlanNode *node, const char *key)
{
	double		number = pfo_json_number(node->json, key);
	ListCell   *lc;

	foreach(lc, node->children)
	{
		PfoPlanNode *child = lfirst(lc);

		number -= Max(pfo_json_number(child->json, key), 0);
	}
	return Max(number, 0);
}

PfoPlanNode *
pfo_node_child(const PfoPlanNode *node, PfoPlanLink link)
{
	ListCell   *lc;

	foreach(lc, node->children)
	{
		PfoPlanNode *child = lfirst(lc);

		if (child->link == link)
			return child;
	}
	return NULL;
}

/*
 * Names
 */

char *
pfo_node_relation(const PfoPlanNode *node)
{
	if (node->relation == NULL)
		return NULL;
	return quote_qualified_identifier(node->schema, node->relation);
}

/* "Aggregate" has the name that EXPLAIN's text gives each strategy. */
static const char *
type_title(const PfoPlanNode *node)
{
	static const char *const titles[][2] = {
		{"Hashed", "HashAggregate"},
		{"Sorted", "GroupAggregate"},
		{"Mixed", "MixedAggregate"},
	};
	char	   *strategy = pfo_json_text(node->json, "Strategy");

	for (int i = 0; i < lengthof(titles); i++)
	{
		if (strategy != NULL && pfo_node_is(node, "Aggregate") &&
			strcmp(strategy, titles[i][0]) == 0)
			return titles[i][1];
	}
	return node->type;
}

char *
pfo_node_title(const PfoPlanNode *node)
{
	StringInfoData title;
	char	   *index = pfo_json_text(node->json, "Index Name");
	char	   *relation = pfo_node_relation(node);

	initStringInfo(&title);
	if (pfo_json_true(node->json, "Parallel Aware"))
		appendStringInfoString(&title, "Parallel ");
	appendStringInfoString(&title, type_title(node));
	if (index != NULL)
		appendStringInfo(&title, " using %s", quote_identifier(index));
	if (relation != NULL)
		appendStringInfo(&title, " on %s", relation);
	if (node->alias != NULL &&
		(relation == NULL || strcmp(node->alias, node->relation) != 0))
		appendStringInfo(&title, "%s%s", relation == NULL ? " on " : " ",
						 quote_identifier(node->alias));
	return title.data;
}

/*
 * Reading
 */

static void
complain(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("value is not a plan in JSON"),
			 errdetail_internal("%s", detail),
			 errhint("Pass what this prints: EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT ...")));
}

static PfoPlanLink
read_link(JsonbContainer *json)
{
	static const struct
	{
		const char *name;
		PfoPlanLink link;
	}			links[] = {
		{"Inner", PFO_LINK_INNER},
		{"Member", PFO_LINK_MEMBER},
		{"Subquery", PFO_LINK_SUBQUERY},
		{"InitPlan", PFO_LINK_INITPLAN},
		{"SubPlan", PFO_LINK_SUBPLAN},
	};
	char	   *name = pfo_json_text(json, "Parent Relationship");

	for (int i = 0; i < lengthof(links); i++)
	{
		if (name != NULL && strcmp(name, links[i].name) == 0)
			return links[i].link;
	}
	return PFO_LINK_OUTER;
}

/* How many processes share the node's loops, and were meant to? */
static void
count_processes(PfoPlanNode *node)
{
	const PfoPlanNode *parent = node->parent;

	node->processes = parent ? parent->processes : 1;
	node->planned_processes = parent ? parent->planned_processes : 1;
	if (parent == NULL || node->link != PFO_LINK_OUTER ||
		strncmp(parent->type, "Gather", 6) != 0)
		return;
	node->planned_processes =
		Max(pfo_json_number(parent->json, "Workers Planned"), 0) +
		(pfo_json_true(parent->json, "Single Copy") ? 0 : 1);
	node->planned_processes = Max(node->planned_processes, 1);
	if (node->loops > 0 && parent->loops > 0)
		node->processes = Max(node->loops / parent->loops, 1);
}

static PfoPlanNode *
read_node(PfoPlan *plan, PfoPlanNode *parent, JsonbContainer *json)
{
	PfoPlanNode *node = palloc0(sizeof(PfoPlanNode));
	char	   *subplan = pfo_json_text(json, "Subplan Name");
	double		loop_ms = pfo_json_number(json, "Actual Total Time");
	ListCell   *lc;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	plan->nodes = lappend(plan->nodes, node);
	node->json = json;
	node->parent = parent;
	node->number = list_length(plan->nodes);
	node->link = read_link(json);
	if (subplan != NULL && strncmp(subplan, "CTE ", 4) == 0)
		node->cte = subplan + 4;
	node->type = pfo_json_text(json, "Node Type");
	if (node->type == NULL)
		complain("A node has no \"Node Type\".");
	node->schema = pfo_json_text(json, "Schema");
	node->relation = pfo_json_text(json, "Relation Name");
	node->alias = pfo_json_text(json, "Alias");
	node->plan_rows = pfo_json_number(json, "Plan Rows");
	node->rows = pfo_json_number(json, "Actual Rows");
	node->loops = pfo_json_number(json, "Actual Loops");
	count_processes(node);
	node->total_ms = node->own_ms = -1;
	if (loop_ms >= 0 && node->loops >= 0)
		node->total_ms = node->own_ms =
			loop_ms * node->loops / node->processes;

	foreach(lc, pfo_json_objects(json, "Plans"))
	{
		PfoPlanNode *child;

		if (list_length(plan->nodes) >= PFO_PLAN_MAX_NODES)
			break;
		child = read_node(plan, node, lfirst(lc));
		node->children = lappend(node->children, child);
		if (node->own_ms >= 0 && child->total_ms >= 0 && child->cte == NULL)
			node->own_ms = Max(node->own_ms - child->total_ms, 0);
	}
	return node;
}

static PfoPlan *
read_plan(JsonbContainer *json)
{
	PfoPlan    *plan = palloc0(sizeof(PfoPlan));
	JsonbContainer *top = pfo_json_object(json, "Plan");

	if (top == NULL)
		complain("The object has no key \"Plan\" with an object below it.");
	plan->json = json;
	plan->top = read_node(plan, NULL, top);
	plan->run_ms = pfo_json_number(json, "Execution Time");
	if (plan->run_ms < 0)
		plan->run_ms = plan->top->total_ms;
	return plan;
}

List *
pfo_plans_read(Jsonb *json)
{
	JsonbContainer *root = &json->root;
	List	   *plans = NIL;

	if (JsonContainerIsObject(root))
		return list_make1(read_plan(root));
	if (JsonContainerIsScalar(root))
		complain("The value is neither an object nor an array.");
	if (JsonContainerSize(root) == 0)
		complain("The array is empty.");
	for (uint32 i = 0; i < JsonContainerSize(root); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(root, i);

		if (element->type != jbvBinary ||
			!JsonContainerIsObject(element->val.binary.data))
			complain("The array has an element that is not an object.");
		plans = lappend(plans, read_plan(element->val.binary.data));
	}
	return plans;
}
