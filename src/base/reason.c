/*-------------------------------------------------------------------------
 *
 * reason.c
 *	  Names of and advice on the reason codes, from the list in reason.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/reason.h"

static const char *const names[] = {
	[PFO_REASON_NONE] = "none",
#define PFO_REASON_NAME(sym, name, advice) [PFO_REASON_##sym] = name,
	PFO_REASONS(PFO_REASON_NAME)
#undef PFO_REASON_NAME
};

static const char *const advices[] = {
	[PFO_REASON_NONE] = "",
#define PFO_REASON_ADVICE(sym, name, advice) [PFO_REASON_##sym] = advice,
	PFO_REASONS(PFO_REASON_ADVICE)
#undef PFO_REASON_ADVICE
};

StaticAssertDecl(lengthof(names) == PFO_NREASONS,
				 "each reason has a name");
StaticAssertDecl(lengthof(advices) == PFO_NREASONS,
				 "each reason has an advice");

/* Codes can come from shared memory, hence no assertion on the range. */
const char *
pfo_reason_name(PfoReason reason)
{
	if ((unsigned int) reason >= PFO_NREASONS)
		return "unknown";
	return names[reason];
}

const char *
pfo_reason_advice(PfoReason reason)
{
	if ((unsigned int) reason >= PFO_NREASONS)
		return "";
	return advices[reason];
}
