\set customer random_zipfian(1, 50000, 1.1)
SELECT o.order_id, o.placed_at, o.status, sum(i.quantity) AS pieces,
	sum(i.quantity * i.unit_price) AS total,
	string_agg(p.name, ', ' ORDER BY i.line) AS products
FROM orders o
	JOIN order_items i ON i.order_id = o.order_id
	JOIN products p ON p.product_id = i.product_id
WHERE o.customer_id = :customer
GROUP BY o.order_id
ORDER BY o.placed_at DESC, o.order_id DESC
LIMIT 10;
