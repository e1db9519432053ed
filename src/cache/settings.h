/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  The settings that expressions, output or the planner can read, as one
 *	  hash: part of each key.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_SETTINGS_H
#define PFO_SETTINGS_H

#include "base/hash.h"

/*
 * The hash of the current values.  Cheap: values are gathered in a struct
 * and hashed only if that differs from the last one.  False if a setting
 * makes results random (gin_fuzzy_search_limit), when nothing may be served.
 * Inside a transaction only.
 *
 * values covers those of them that the value of an expression can depend on.
 * Planning turns expressions into constants, and not all that are labelled
 * IMMUTABLE are so under any settings: the text of a bytea or float is one.
 */
extern bool pfo_settings_hash(PfoHash *hash, PfoHash *values);

/* names of the settings that are looked at, ended by NULL, sorted */
extern const char *const *pfo_settings_names(void);

#endif							/* PFO_SETTINGS_H */
