/*
 * For scripts/checks alone: macros of PostgreSQL's headers that change how a
 * line parses, so that cppcheck can do without those headers.
 */
#define PG_VERSION_NUM 150000
#define PG_FUNCTION_INFO_V1(f)
#define PG_MODULE_MAGIC
#define foreach(cell, list) \
	for (cell = list_head(list); cell != NULL; cell = lnext(list, cell))
#define forboth(c1, l1, c2, l2) \
	for (c1 = list_head(l1), c2 = list_head(l2); c1 != NULL && c2 != NULL; \
		 c1 = lnext(l1, c1), c2 = lnext(l2, c2))
#define dlist_foreach(iter, head) \
	for (dlist_first(&(iter), head); (iter).cur != NULL; dlist_step(&(iter)))
#define dlist_foreach_modify(iter, head) dlist_foreach(iter, head)
#define slist_foreach(iter, head) dlist_foreach(iter, head)
#define PG_TRY() {
#define PG_CATCH() } {
#define PG_FINALLY() } {
#define PG_END_TRY() }
