\set product random_zipfian(1, 20000, 1.1)
SELECT p.product_id, p.name, p.brand, p.price, p.description,
	c.name AS category, d.name AS department,
	s.name AS similar_name, s.price AS similar_price
FROM products p
	JOIN categories c ON c.category_id = p.category_id
	JOIN categories d ON d.category_id = c.parent_id
	LEFT JOIN LATERAL
		(SELECT o.product_id, o.name, o.price
		 FROM products o
		 WHERE o.category_id = p.category_id AND o.price >= p.price
			AND o.product_id <> p.product_id
		 ORDER BY o.price, o.product_id
		 LIMIT 4) s ON true
WHERE p.product_id = :product
ORDER BY s.price, s.product_id;
