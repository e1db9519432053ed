/*-------------------------------------------------------------------------
 *
 * hooks.h
 *	  Where PostgreSQL calls perfopt.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_HOOKS_H
#define PFO_HOOKS_H

/* Install all hooks and callbacks, once, in the postmaster. */
extern void pfo_hooks_install(void);

#endif							/* PFO_HOOKS_H */
