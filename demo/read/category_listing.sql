\set category random_zipfian(1, 45, 1.05)
SELECT c.name AS category, p.brand, count(*) AS products,
	min(p.price) AS cheapest, max(p.price) AS dearest,
	round(avg(p.price), 2) AS average
FROM products p
	JOIN categories c ON c.category_id = p.category_id
WHERE p.category_id = 5 + :category
GROUP BY c.name, p.brand
ORDER BY count(*) DESC, p.brand;
