\set days 7 * random(1, 4)
SELECT p.product_id, p.name, p.brand, sum(i.quantity) AS sold,
	sum(i.quantity * i.unit_price) AS revenue
FROM orders o
	JOIN order_items i ON i.order_id = o.order_id
	JOIN products p ON p.product_id = i.product_id
WHERE o.placed_at >= date '2025-06-30' - :days::int
GROUP BY p.product_id
ORDER BY sold DESC, revenue DESC, p.product_id
LIMIT 20;
