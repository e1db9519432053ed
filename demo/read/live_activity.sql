\set product random_zipfian(1, 20000, 1.1)
SELECT kind, count(*) AS events, count(DISTINCT customer_id) AS customers,
	max(happened_at) AS latest
FROM events
WHERE product_id = :product
GROUP BY kind
ORDER BY kind;
