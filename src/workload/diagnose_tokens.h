/*-------------------------------------------------------------------------
 *
 * diagnose_tokens.h
 *	  Conditions as EXPLAIN prints them, cut into tokens.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_DIAGNOSE_TOKENS_H
#define PFO_DIAGNOSE_TOKENS_H

typedef enum PfoTokenKind
{
	PFO_TOKEN_WORD,			/* keyword or name, not quoted */
	PFO_TOKEN_NAME,			/* quoted */
	PFO_TOKEN_STRING,
	PFO_TOKEN_NUMBER,			/* or a parameter */
	PFO_TOKEN_OPERATOR,
	PFO_TOKEN_CAST,				/* :: */
	PFO_TOKEN_PUNCT				/* one of ( ) [ ] , . */
} PfoTokenKind;

typedef struct PfoToken
{
	PfoTokenKind kind;
	char		punct;
	char	   *value;			/* without quotes */
	int			close;			/* of an opening parenthesis: its partner */
	const char *start;			/* in the text */
	int			len;
} PfoToken;

typedef struct PfoTokens
{
	PfoToken   *tokens;
	int			ntokens;
} PfoTokens;

#define pfo_is_punct(token, c) \
	((token)->kind == PFO_TOKEN_PUNCT && (token)->punct == (c))

/* False if the text cannot be one, or is too long; no error is raised. */
extern bool pfo_tokens_of(const char *text, PfoTokens *scan);

/* Is the i'th token, which must be before to, this word, in any case? */
extern bool pfo_is_word(const PfoTokens *scan, int i, int to,
						const char *word);

/* The first token from i on that is after this one outside of parentheses. */
extern int	pfo_next_token(const PfoTokens *scan, int i);

/* The tokens' text, without what qualifies columns. */
extern char *pfo_text_of_tokens(const PfoTokens *scan, int from, int to);

#endif							/* PFO_DIAGNOSE_TOKENS_H */
