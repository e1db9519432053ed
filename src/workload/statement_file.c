/*-------------------------------------------------------------------------
 *
 * statement_file.c
 *	  Statements over a restart.
 *
 * The postmaster writes the table to a file when it shuts down, and reads it
 * when it starts next.  The file is removed then, so that a crash, after which
 * there are no statistics, does not bring back old ones.  A file of another
 * version, or one that is cut short, is left out from where it cannot be read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/ipc.h"

#include "base/compat.h"
#include "workload/statement_table.h"

#define STATEMENT_FILE	PGSTAT_STAT_PERMANENT_DIRECTORY "/perfopt_statements.stat"

/* What makes a file one that can be read. */
typedef struct Header
{
	uint32		magic;
	uint32		server;
	uint32		statement_size;
	uint32		nreasons;
} Header;

static const Header header = {
	0x70666F53, PFO_PG_MAJOR, sizeof(PfoStatement), PFO_NREASONS
};

typedef struct Writer
{
	FILE	   *file;
	bool		failed;
} Writer;

/* Without the end of the text's place, which is mostly empty. */
static void
write_statement(const PfoStatement *statement, void *arg)
{
	Writer	   *writer = arg;
	uint32		size = offsetof(PfoStatement, text) +
		strlen(statement->text) + 1;

	writer->failed = writer->failed ||
		fwrite(&size, sizeof(size), 1, writer->file) != 1 ||
		fwrite(statement, size, 1, writer->file) != 1;
}

/* Called when the postmaster exits; others have exited before. */
static void
write_file(int code, Datum arg)
{
	Writer		writer = {0};

	if (IsUnderPostmaster || code != 0)
		return;
	writer.file = AllocateFile(STATEMENT_FILE ".tmp", PG_BINARY_W);
	if (writer.file != NULL)
	{
		writer.failed = fwrite(&header, sizeof(header), 1, writer.file) != 1;
		pfo_statements_foreach(write_statement, &writer);
		if (FreeFile(writer.file) == 0 && !writer.failed)
		{
			(void) durable_rename(STATEMENT_FILE ".tmp", STATEMENT_FILE, LOG);
			return;
		}
	}
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", STATEMENT_FILE ".tmp"),
			 errdetail("The statistics of statements are lost.")));
	unlink(STATEMENT_FILE ".tmp");
}

static bool
read_statement(FILE *file, PfoStatement *statement)
{
	uint32		size;

	if (fread(&size, sizeof(size), 1, file) != 1 ||
		size <= offsetof(PfoStatement, text) || size > sizeof(PfoStatement) ||
		fread(statement, size, 1, file) != 1)
		return false;
	((char *) statement)[size - 1] = '\0';
	return true;
}

static void
read_file(void)
{
	FILE	   *file = AllocateFile(STATEMENT_FILE, PG_BINARY_R);
	PfoStatement *statement;
	Header		found;

	if (file == NULL)
	{
		if (errno != ENOENT)
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m",
							STATEMENT_FILE)));
		return;
	}
	statement = palloc(sizeof(PfoStatement));
	if (fread(&found, sizeof(found), 1, file) == 1 &&
		memcmp(&found, &header, sizeof(header)) == 0)
	{
		while (read_statement(file, statement))
			pfo_statement_table_restore(statement);
	}
	pfree(statement);
	FreeFile(file);
	unlink(STATEMENT_FILE);
}

void
pfo_statement_file_init(bool found)
{
	if (IsUnderPostmaster)
		return;
	on_shmem_exit(write_file, (Datum) 0);
	if (!found)
		read_file();
}
