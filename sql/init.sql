--
-- The extension, which all other tests need, and what belongs to it.
--
CREATE EXTENSION perfopt;

SELECT pg_describe_object(classid, objid, 0) AS object
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'perfopt')
	AND classid <> 'pg_type'::regclass	-- row types, since 17
ORDER BY 1;

-- labels and privileges
SELECT p.oid::regprocedure AS function, p.provolatile, p.proisstrict,
	p.proparallel, has_function_privilege('public', p.oid, 'EXECUTE') AS public
FROM pg_proc AS p
JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
	AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'perfopt'
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- all have comments
SELECT pg_describe_object(classid, objid, 0) AS without_comment
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'perfopt')
	AND classid <> 'pg_type'::regclass
	AND obj_description(objid, classid::regclass::name) IS NULL;

-- nothing in it names a schema
CREATE SCHEMA elsewhere;
ALTER EXTENSION perfopt SET SCHEMA elsewhere;
SELECT count(*) >= 0 AS works FROM elsewhere.perfopt_cache_stats;
ALTER EXTENSION perfopt SET SCHEMA public;
DROP SCHEMA elsewhere;

-- loading the library serves nothing
SHOW perfopt.cache;
