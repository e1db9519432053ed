\set days 30 * random(1, 3)
SELECT o.placed_at::date AS day, count(DISTINCT o.order_id) AS orders,
	count(DISTINCT o.customer_id) AS customers,
	sum(i.quantity * i.unit_price) AS revenue
FROM orders o
	JOIN order_items i ON i.order_id = o.order_id
WHERE o.placed_at >= date '2025-06-30' - :days::int
GROUP BY o.placed_at::date
ORDER BY day;
