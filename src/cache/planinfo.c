/*-------------------------------------------------------------------------
 *
 * planinfo.c
 *	  The private node of our CustomScan.
 *
 * It must survive copyObject(), since plan caches copy plans.  It is never
 * sent to a parallel worker: workers get parts of the child plan only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "cache/planinfo.h"
#include "cache/scan_plan.h"

static void
copy_info(ExtensibleNode *new_node, const ExtensibleNode *old_node)
{
	PfoPlanInfo *to = (PfoPlanInfo *) new_node;
	const PfoPlanInfo *from = (const PfoPlanInfo *) old_node;
	ExtensibleNode header = to->node;

	*to = *from;
	to->node = header;
	to->functions = list_copy(from->functions);
	to->depends = list_copy(from->depends);
	to->params = bms_copy(from->params);
	to->folded = copyObject(from->folded);
	to->child = copyObject(from->child);
	to->query = copyObject(from->query);
}

static bool
equal_info(const ExtensibleNode *a, const ExtensibleNode *b)
{
	return pfo_hash_equal(((const PfoPlanInfo *) a)->tree,
						  ((const PfoPlanInfo *) b)->tree) &&
		equal(((const PfoPlanInfo *) a)->folded,
			  ((const PfoPlanInfo *) b)->folded);
}

/* for debug_print_plan */
static void
out_info(StringInfo str, const ExtensibleNode *node)
{
	const PfoPlanInfo *info = (const PfoPlanInfo *) node;

	appendStringInfo(str, " :queryid " INT64_FORMAT, info->queryid);
	if (info->child != NULL)
		appendStringInfo(str, " :child %s", nodeToString(info->child));
}

static void
read_info(ExtensibleNode *node)
{
	elog(ERROR, "a plan of perfopt cannot be read back");
}

static const ExtensibleNodeMethods methods = {
	.extnodename = PFO_PLANINFO_NAME,
	.node_size = sizeof(PfoPlanInfo),
	.nodeCopy = copy_info,
	.nodeEqual = equal_info,
	.nodeOut = out_info,
	.nodeRead = read_info
};

void
pfo_planinfo_register(void)
{
	RegisterExtensibleNodeMethods(&methods);
}

PfoPlanInfo *
pfo_planinfo_make(void)
{
	PfoPlanInfo *info = (PfoPlanInfo *) newNode(sizeof(PfoPlanInfo),
												T_ExtensibleNode);

	info->node.extnodename = PFO_PLANINFO_NAME;
	return info;
}

PfoPlanInfo *
pfo_planinfo_of(Plan *plan)
{
	if (plan == NULL || !IsA(plan, CustomScan) ||
		!pfo_scan_is_ours((CustomScan *) plan))
		return NULL;
	return (PfoPlanInfo *) linitial(((CustomScan *) plan)->custom_private);
}
